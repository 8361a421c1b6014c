import { parseArgs } from "node:util";
import { wholeNumber } from "../whole-number.ts";
import { type ContenderName, contenderNames, contenders } from "./clients/catalog.ts";
import type { Way } from "./plan.ts";

/** What the command line asks for. */
export interface HistoriesArguments {
  readonly seed: number;
  /** It ends with whichever comes first. */
  readonly minutes: number;
  readonly histories: number;
  readonly faultsMs: number;
  readonly longestFaultMs: number;
  /** Where the histories that break a promise are kept. */
  readonly keep: string;
  readonly runs: readonly (readonly [contender: ContenderName, way: Way])[];
}

/** @throws TypeError when an option is unknown, no number, or no name. */
export function readHistoriesArguments(args: readonly string[]): HistoriesArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      minutes: { type: "string" },
      histories: { type: "string" },
      seconds: { type: "string", default: "10" },
      longest: { type: "string", default: "10" },
      keep: { type: "string", default: ".cache/pubsub" },
      way: { type: "string", multiple: true, default: ["tcp", "rest"] },
      contender: { type: "string", multiple: true, default: ["ours"] },
    },
  });
  const { minutes, histories } = values;
  const runs = contenderNames
    .filter((name) => chosen("contender", values.contender, contenderNames).includes(name))
    .flatMap((name) => contenders[name].ways.map((way) => [name, way] as const))
    .filter(([, way]) => chosen("way", values.way, ["tcp", "rest"]).includes(way));
  const isUnbounded = minutes === undefined && histories === undefined;
  return {
    seed: wholeNumber("seed", values.seed),
    minutes: minutes === undefined ? Number.POSITIVE_INFINITY : wholeNumber("minutes", minutes),
    histories:
      histories === undefined ? (isUnbounded ? 10 : Number.POSITIVE_INFINITY) : wholeNumber("histories", histories),
    faultsMs: wholeNumber("seconds", values.seconds) * 1_000,
    longestFaultMs: wholeNumber("longest", values.longest) * 1_000,
    keep: values.keep,
    runs,
  };
}

function chosen(option: string, names: readonly string[], known: readonly string[]): readonly string[] {
  for (const name of names) {
    if (known.includes(name)) continue;
    throw new TypeError(`Expected --${option} to be one of ${known.join(", ")}, got ${JSON.stringify(name)}`);
  }
  return names;
}
