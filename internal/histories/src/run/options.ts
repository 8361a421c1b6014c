import { parseArgs } from "node:util";
import type { Arguments, Option } from "./subject.ts";

/** What every subject can be told. */
export interface RunOptions {
  readonly seed: number;
  /** A run ends with whichever comes first. */
  readonly histories: number;
  readonly minutes: number;
  /** Where histories that break a promise are kept. */
  readonly keep: string;
  readonly args: Arguments;
  /** The subject's own options as they were given. */
  readonly given: string;
}

const common = {
  histories: { type: "string" },
  seed: { type: "string" },
  minutes: { type: "string" },
  keep: { type: "string", default: ".cache/histories" },
} as const;

/** @throws TypeError when an option is unknown, no number, or no name. */
export function readOptions(
  argv: readonly string[],
  own: Readonly<Record<string, Option>>,
  defaultHistories: number,
): RunOptions {
  const args = argv.filter((arg) => arg !== "--");
  const { values, tokens } = parseArgs({ args, options: { ...own, ...common }, tokens: true });
  const read = values as Readonly<Record<string, string | boolean | string[] | undefined>>;
  const number = (name: string): number => wholeNumber(name, String(read[name]));
  const bound = (name: string, other: number): number => (read[name] === undefined ? other : number(name));
  const given = tokens.flatMap((token) =>
    token.kind === "option" && token.name in own && String(token.name) !== "way"
      ? [`--${token.name}${token.value === undefined ? "" : ` ${token.value}`}`]
      : [],
  );
  return {
    seed: bound("seed", Math.max(1, Date.now() % 2 ** 31)),
    histories: bound("histories", read["minutes"] === undefined ? defaultHistories : Number.POSITIVE_INFINITY),
    minutes: bound("minutes", Number.POSITIVE_INFINITY),
    keep: String(read["keep"]),
    given: given.join(" "),
    args: {
      number,
      is: (name) => read[name] === true,
      names: (name, known) =>
        [read[name]].flat().map((text) => {
          const found = known.find((one) => one === text);
          if (found) return found;
          throw new TypeError(`Expected --${name} to be one of ${known.join(", ")}, got ${JSON.stringify(text)}`);
        }),
    },
  };
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new TypeError(`Expected --${name} to be a whole number above 0, got ${JSON.stringify(text)}`);
}
