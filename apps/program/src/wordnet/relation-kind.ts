/** How one concept stands to another. */
export type RelationKind =
  | "hypernym"
  | "hyponym"
  | "instance of"
  | "instance"
  | "part of"
  | "part"
  | "member of"
  | "member"
  | "substance of"
  | "substance"
  | "entails"
  | "causes"
  | "antonym"
  | "similar"
  | "see also"
  | "verb group"
  | "attribute"
  | "derived form"
  | "pertains to"
  | "participle of"
  | "topic"
  | "topic member"
  | "region"
  | "region member"
  | "usage"
  | "usage member"
  | "other";

const kinds: Readonly<Record<string, RelationKind>> = {
  "@": "hypernym",
  "~": "hyponym",
  "@i": "instance of",
  "~i": "instance",
  "#p": "part of",
  "%p": "part",
  "#m": "member of",
  "%m": "member",
  "#s": "substance of",
  "%s": "substance",
  "*": "entails",
  ">": "causes",
  "!": "antonym",
  "&": "similar",
  "^": "see also",
  $: "verb group",
  "=": "attribute",
  "+": "derived form",
  "\\": "pertains to",
  "<": "participle of",
  ";c": "topic",
  "-c": "topic member",
  ";r": "region",
  "-r": "region member",
  ";u": "usage",
  "-u": "usage member",
};

/** The kind that a pointer symbol of WordNet's files stands for. */
export function relationKindOf(symbol: string): RelationKind {
  return kinds[symbol] ?? "other";
}
