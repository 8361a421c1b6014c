/** Plurals that no rule makes. */
const irregular: ReadonlyMap<string, string> = new Map([
  ["men", "man"],
  ["women", "woman"],
  ["children", "child"],
  ["feet", "foot"],
  ["teeth", "tooth"],
  ["mice", "mouse"],
  ["geese", "goose"],
]);

/**
 * Cuts a lower-case English word down, so that its forms meet: herds, herded and herding become herd, moving and moves
 * become mov. A light stemmer: endings of inflection and `-ly`, nothing that makes another word.
 */
export function stem(word: string): string {
  const singular = withoutPlural(irregular.get(word) ?? word);
  return withoutFinalE(withoutEnding(singular));
}

function withoutPlural(word: string): string {
  if (word.length < 4 || !word.endsWith("s") || /(?:ss|us|is)$/.test(word)) return word;
  if (/[^ae]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(?:ch|sh|ss|x|z|o)es$/.test(word)) return word.slice(0, -2);
  return word.slice(0, -1);
}

function withoutEnding(word: string): string {
  if (word.endsWith("ing")) return bare(word, 3);
  if (word.endsWith("ied")) return word.length > 4 ? `${word.slice(0, -3)}y` : word;
  if (word.endsWith("ed") && !word.endsWith("eed")) return bare(word, 2);
  if (word.endsWith("ly") && word.length > 5) return word.slice(0, -2);
  return word;
}

/** An ending leaves a syllable: `sing` and `bed` have none. A doubled consonant becomes one: `running`. */
function bare(word: string, ending: number): string {
  const rest = word.slice(0, -ending);
  if (rest.length < 3 || !/[aeiouy]/.test(rest)) return word;
  return /([^aeiouylsz])\1$/.test(rest) ? rest.slice(0, -1) : rest;
}

function withoutFinalE(word: string): string {
  return word.length > 3 && word.endsWith("e") && !word.endsWith("ee") ? word.slice(0, -1) : word;
}
