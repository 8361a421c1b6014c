import { fleetOptions, fleetTimes, type Outcome, oneByOne, type Subject } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { drawPlan } from "./plan.ts";
import { createQueuePool, runHistory } from "./run-history.ts";

/** Processes that push and work while everything goes wrong. */
export const queue: Subject = {
  title: "The queue",
  histories: 2,
  options: fleetOptions,
  titles: {
    acked: "acknowledged",
    pending: "of these, waited in their process first",
    failed: "calls that failed",
    applied: "applied",
    deliveries: "given out",
    duplicates: "given out again although applied",
    recovered: "given out after a lost lease",
    failures: "failures of handlers",
    dead: "dead, by failures of their handler",
    kills: "processes killed",
    repaired: "lost by the server, or thought to be, and repeated",
    lostWaiting: "lost waiting in a killed process",
    lostTogether: "lost with process and server together",
    refused: "late ends of lost leases, refused",
    branched: "in the queue twice, as is allowed then",
    judgedWaits: "waits judged for starvation",
    redelivered: "redelivered after a kill",
  },
  open(args, folder) {
    const pool = createQueuePool();
    const times = fleetTimes(args);
    const run = async (seed: number, way: Way): Promise<Outcome> => {
      const plan = drawPlan({ ...times, seed, way, flood: times.perSecond });
      const { verdict, records } = await runHistory(plan, pool, folder);
      return { seed, plan, repeat: `--way ${way}`, records, ...verdict };
    };
    const series = args.names("way", ["tcp", "rest"] as const).map((way) => ({
      title: `queue, ${way}`,
      run: oneByOne((seed) => run(seed, way)),
    }));
    return { series, close: pool.close };
  },
};
