import type { Violation } from "../checking/rules.ts";

/** What one history came to. */
export interface Outcome {
  readonly seed: number;
  /** What was drawn for it: the first line of a kept history. */
  readonly plan: object;
  /** The options of the command line, besides the seed, with which this history runs again. */
  readonly repeat: string;
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, number>>;
  /** Durations in milliseconds, of which the report shows the median and the longest. */
  readonly times?: Readonly<Record<string, readonly number[]>>;
  readonly records: readonly object[];
  /** Describes a violation in words. @default the records that mention what the violation mentions */
  tell?(violation: Violation): string;
}

/** Histories that differ in their seeds only: one column of the report. */
export interface Series {
  readonly title: string;
  /** Whether a violation makes the run fail: not where another client is checked for comparison. @default true */
  readonly isJudged?: boolean;
  run(span: Span, onOutcome: (outcome: Outcome) => void): Promise<void>;
}

/** Which histories to run: those with the seeds from `seed` on. */
export interface Span {
  readonly seed: number;
  readonly histories: number;
  /** Whether there is time for another history. */
  goesOn(): boolean;
}

/** An option of the command line, as `parseArgs` has it. */
export type Option =
  | { readonly type: "string"; readonly default: string }
  | { readonly type: "boolean"; readonly default: boolean }
  | { readonly type: "string"; readonly multiple: true; readonly default: string[] };

/** The options of a command line, read. */
export interface Arguments {
  /** @throws TypeError when it is no whole number above 0. */
  number(name: string): number;
  is(name: string): boolean;
  /** @throws TypeError when one of the names is not known. */
  names<Name extends string>(name: string, known: readonly Name[]): Name[];
}

/** A feature that the checker can check. */
export interface Subject {
  /** What its histories are, in a few words. */
  readonly title: string;
  /** Its own options; `--histories`, `--seed`, `--minutes` and `--keep` are every subject's. */
  readonly options: Readonly<Record<string, Option>>;
  /** How many histories run when the command line does not say. */
  readonly histories: number;
  /** Whether it runs all its histories at once; others run one after another, each series in turn. */
  readonly isAtOnce?: boolean;
  /** What its counts are called in the report. */
  readonly titles: Readonly<Record<string, string>>;
  /** @param folder - An empty folder for the records of its processes. */
  open(args: Arguments, folder: string): { readonly series: readonly Series[]; close(): Promise<void> };
}

/** Runs one history after another. */
export const oneByOne =
  (run: (seed: number) => Promise<Outcome>): Series["run"] =>
  async ({ seed, histories, goesOn }, onOutcome) => {
    for (let nth = 0; nth < histories && goesOn(); nth++) onOutcome(await run(seed + nth));
  };

/** The ways to the server that a command line names. */
export const wayOption: Extract<Option, { readonly multiple: true }> = {
  type: "string",
  multiple: true,
  default: ["tcp", "rest"],
};

/** Options of subjects whose histories have faults on a fleet of processes. */
export const fleetOptions: Readonly<Record<string, Option>> = {
  way: wayOption,
  seconds: { type: "string", default: "15" },
  longest: { type: "string", default: "5" },
  lease: { type: "string", default: "2000" },
  rate: { type: "string", default: "400" },
};

/** How long there are faults, and how long one lasts at most. */
export const faultTimes = (args: Arguments): { readonly faultsMs: number; readonly longestFaultMs: number } => ({
  faultsMs: args.number("seconds") * 1_000,
  longestFaultMs: args.number("longest") * 1_000,
});

/** All these options in the units of plans. */
export const fleetTimes = (
  args: Arguments,
): ReturnType<typeof faultTimes> & { readonly leaseMs: number; readonly perSecond: number } => ({
  ...faultTimes(args),
  leaseMs: args.number("lease"),
  perSecond: args.number("rate"),
});
