/**
 * Puts every number of a valid JSON text into quotes, so that it arrives as it was written: `JSON.parse` alone would
 * round 12345678901234567890 and turn 1.0 into 1.
 */
export function quoteNumbers(json: string): string {
  const parts: string[] = [];
  let at = 0;
  while (at < json.length) {
    const open = json.indexOf('"', at);
    const outside = json.slice(at, open < 0 ? json.length : open);
    parts.push(outside.replace(/-?\d[\d.eE+-]*/g, '"$&"'));
    if (open < 0) break;
    const close = endOfString(json, open + 1);
    parts.push(json.slice(open, close));
    at = close;
  }
  return parts.join("");
}

/** Where the string whose first character is at `from` ends, behind its closing quote; the end of the text without one. */
export function endOfString(json: string, from: number): number {
  let close = json.indexOf('"', from);
  while (close >= 0 && backslashesBefore(json, close) % 2 === 1) close = json.indexOf('"', close + 1);
  return close < 0 ? json.length : close + 1;
}

function backslashesBefore(json: string, at: number): number {
  let count = 0;
  while (json[at - count - 1] === "\\") count++;
  return count;
}
