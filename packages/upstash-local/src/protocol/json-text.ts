/** The size of a JSON text, counted without parsing it. */
export interface JsonSize {
  /** How many arrays and objects are inside the outermost one. */
  readonly inner: number;
  /** How many levels of them there are. */
  readonly depth: number;
  /** The least number of values: one more than commas. */
  readonly values: number;
  /** Whether there is a number. */
  readonly hasNumber: boolean;
}

const quote = 0x22;

/** Scans a text once. The text need not be valid. */
export function sizeOfJson(json: string): JsonSize {
  let containers = 0;
  let level = 0;
  let depth = 0;
  let commas = 0;
  let hasNumber = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === quote) at = endOfString(json, at + 1) - 1;
    else if (code === 0x5b || code === 0x7b) {
      containers++;
      depth = Math.max(depth, ++level);
    } else if (code === 0x5d || code === 0x7d) level--;
    else if (code === 0x2c) commas++;
    else if (code >= 0x30 && code <= 0x39) hasNumber = true;
  }
  return { inner: Math.max(0, containers - 1), depth, values: commas + 1, hasNumber };
}

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

/**
 * Where the string whose first character is at `from` ends, behind its closing quote; the end of the text without one.
 */
function endOfString(json: string, from: number): number {
  let close = json.indexOf('"', from);
  while (close >= 0 && backslashesBefore(json, close) % 2 === 1) close = json.indexOf('"', close + 1);
  return close < 0 ? json.length : close + 1;
}

function backslashesBefore(json: string, at: number): number {
  let count = 0;
  while (json[at - count - 1] === "\\") count++;
  return count;
}
