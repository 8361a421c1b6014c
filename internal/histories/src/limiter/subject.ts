import { join } from "node:path";
import { type Outcome, oneByOne, type Subject, wayOption } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { countOf, worstOf } from "./checker.ts";
import { type ContenderName, contenderNames, factsOf } from "./clients/catalog.ts";
import { runLimiter } from "./run.ts";
import { gravest, type ViolationKind } from "./violation.ts";

/**
 * Those that tell how good a limiter's clock and memory are. On a busy machine they happen, so they are only counted.
 */
const counted: readonly ViolationKind[] = ["late-denial", "retry-too-early", "retry-too-late", "wrong-time"];

/** Processes that decide at random on one Redis; also with the limiters of others, for comparison. */
export const limiter: Subject = {
  title: "The rate limiter",
  histories: 1,
  options: {
    way: { ...wayOption, default: ["tcp"] },
    decisions: { type: "string", default: "100000" },
    processes: { type: "string", default: "8" },
    contender: { type: "string", multiple: true, default: ["ours", "ours-deny-cache", "ours-log"] },
  },
  titles: {
    "late-denial": "denials that others had lifted, within 5 s",
    "retry-too-early": "retry-after too early by more than 25 ms",
    "retry-too-late": "retry-after too late by more than 25 ms",
    "wrong-time": "receipts' times off the call",
    worstOvershoot: "worst overshoot",
    worstWait: "too late by at most, µs",
    worstTime: "receipts' times off the call by at most, µs",
  },
  open(args, folder) {
    const sizes = { processes: args.number("processes"), decisions: args.number("decisions") };
    let runs = 0;
    const run = async (seed: number, name: ContenderName, way: Way): Promise<Outcome> => {
      const plan = { seed, way, ...sizes };
      const { verdict, records } = await runLimiter(name, plan, join(folder, `${runs++}`));
      const { decisions, outcomes, sources, refunds, resets, violations } = verdict;
      const bySource = Object.entries(sources).map(([source, times]) => [`decided by ${source}`, times] as const);
      return {
        seed,
        plan,
        repeat: `--way ${way}`,
        violations: violations.filter(({ kind }) => gravest.includes(kind)),
        records,
        counts: {
          ...{ decisions, ...outcomes, ...Object.fromEntries(bySource), refunds, resets },
          ...Object.fromEntries(counted.map((kind) => [kind, countOf(verdict, kind)])),
          worstOvershoot: worstOf(verdict, "over-limit"),
          worstWait: worstOf(verdict, "retry-too-late"),
          worstTime: worstOf(verdict, "wrong-time"),
        },
      };
    };
    const ways = args.names("way", ["tcp", "rest"] as const);
    const series = args
      .names("contender", contenderNames)
      .flatMap((name) =>
        ways.filter((way) => way === "tcp" || factsOf(name).overRest).map((way) => [name, way] as const),
      )
      .map(([name, way]) => ({
        title: `${factsOf(name).title}, ${way}`,
        isJudged: factsOf(name).hasReceipts,
        run: oneByOne((seed) => run(seed, name, way)),
      }));
    return { series, close: async () => {} };
  },
};
