/** One of WordNet's four files, by the letter that its concept ids begin with. */
export type PartOfSpeech = "n" | "v" | "a" | "r";

/** The names of the parts of speech and their files, in the order of loading. */
export const partsOfSpeech: readonly {
  readonly letter: PartOfSpeech;
  readonly name: string;
  readonly plural: string;
  readonly fileName: string;
}[] = [
  { letter: "n", name: "noun", plural: "nouns", fileName: "data.noun" },
  { letter: "v", name: "verb", plural: "verbs", fileName: "data.verb" },
  { letter: "a", name: "adjective", plural: "adjectives", fileName: "data.adj" },
  { letter: "r", name: "adverb", plural: "adverbs", fileName: "data.adv" },
];

const names = new Map(partsOfSpeech.map(({ letter, name }) => [letter, name]));

export function nameOfPart(letter: PartOfSpeech): string {
  return names.get(letter) ?? letter;
}
