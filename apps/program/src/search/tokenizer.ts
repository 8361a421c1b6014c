import { stem } from "./stem.ts";
import { stopWords } from "./stop-words.ts";

/** The terms of a text, in its order: words in lower case without accents, stop words left out, stemmed. */
export function termsOf(text: string): string[] {
  const terms: string[] = [];
  for (const [word] of plain(text).matchAll(/[a-z0-9]+(?:'[a-z]+)?/g)) {
    if (stopWords.has(word)) continue;
    const [base = ""] = word.split("'", 1);
    if (!stopWords.has(base)) terms.push(stem(base));
  }
  return terms;
}

function plain(text: string): string {
  const lower = text.toLowerCase();
  // Most text is ASCII, and has no accents to remove.
  return /[^\x20-\x7e]/.test(lower)
    ? lower
        .normalize("NFKD")
        .replace(/\p{Mark}/gu, "")
        .replaceAll("’", "'")
    : lower;
}
