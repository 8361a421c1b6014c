import { parseArgs } from "node:util";
import type { Way } from "./faults/fault-plan.ts";
import { wholeNumber } from "./whole-number.ts";

/** What the command line asks for. */
export interface HistoriesArguments {
  readonly seed: number;
  /** It ends with whichever comes first. */
  readonly minutes: number;
  readonly histories: number;
  /** So many acknowledged messages, of the queue and the log together. */
  readonly messages: number;
  readonly faultsMs: number;
  readonly longestFaultMs: number;
  readonly leaseMs: number;
  readonly perSecond: number;
  /** Where the histories that break a promise are kept. */
  readonly keep: string;
  readonly runs: readonly (readonly [what: "queue" | "log", way: Way])[];
}

/** @throws TypeError when an option is unknown, no number, or no name. */
export function readHistoriesArguments(args: readonly string[]): HistoriesArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      minutes: { type: "string" },
      histories: { type: "string" },
      messages: { type: "string" },
      seconds: { type: "string", default: "15" },
      longest: { type: "string", default: "5" },
      lease: { type: "string", default: "2000" },
      rate: { type: "string", default: "400" },
      keep: { type: "string", default: ".cache/federation" },
      what: { type: "string", multiple: true, default: ["queue", "log"] },
      way: { type: "string", multiple: true, default: ["tcp", "rest"] },
    },
  });
  const whats = chosen("what", values.what, ["queue", "log"] as const);
  const ways = chosen("way", values.way, ["tcp", "rest"] as const);
  const bound = (name: "minutes" | "histories" | "messages"): number =>
    values[name] === undefined ? Number.POSITIVE_INFINITY : wholeNumber(name, values[name]);
  const isUnbounded = [values.minutes, values.histories, values.messages].every((value) => value === undefined);
  return {
    seed: wholeNumber("seed", values.seed),
    minutes: bound("minutes"),
    histories: isUnbounded ? 2 : bound("histories"),
    messages: bound("messages"),
    faultsMs: wholeNumber("seconds", values.seconds) * 1_000,
    longestFaultMs: wholeNumber("longest", values.longest) * 1_000,
    leaseMs: wholeNumber("lease", values.lease),
    perSecond: wholeNumber("rate", values.rate),
    keep: values.keep,
    runs: whats.flatMap((what) => ways.map((way) => [what, way] as const)),
  };
}

function chosen<Name extends string>(option: string, names: readonly string[], known: readonly Name[]): Name[] {
  return names.map((name) => {
    const found = known.find((one) => one === name);
    if (found) return found;
    throw new TypeError(`Expected --${option} to be one of ${known.join(", ")}, got ${JSON.stringify(name)}`);
  });
}
