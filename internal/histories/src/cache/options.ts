import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface OutageRun {
  readonly minutes: number;
  readonly seed?: number;
  /** Where the histories that break a promise are kept. */
  readonly keep: string;
}

/** @throws TypeError when an option is unknown or no number. */
export function readOptions(args: readonly string[]): OutageRun {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== "--"),
    options: {
      minutes: { type: "string", default: "20" },
      seed: { type: "string" },
      keep: { type: "string", default: ".cache/outages" },
    },
  });
  const minutes = positive("minutes", values.minutes);
  return { minutes, keep: values.keep, ...(values.seed !== undefined && { seed: positive("seed", values.seed) }) };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new TypeError(`Expected --${name} to be a number above 0, got ${JSON.stringify(text)}`);
}
