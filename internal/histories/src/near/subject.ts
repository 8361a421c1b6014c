import { faultTimes, fleetOptions, type Outcome, oneByOne, type Subject } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { createNearPool, drawPlan, runHistory } from "./run-history.ts";

const { way, seconds, longest } = fleetOptions;

/** Processes that read and write through near caches while everything goes wrong. */
export const near: Subject = {
  title: "The near cache",
  histories: 2,
  options: { way, seconds, longest } as Subject["options"],
  titles: {
    writes: "writes",
    unconfirmed: "of these, not confirmed",
    reads: "reads checked",
    peeks: "of these, answered by peek",
    hits: "hits of processes that were not killed",
    syncs: "looks at the invalidations",
    compared: "keys compared in the end",
    kills: "processes killed",
  },
  open(args, folder) {
    const pool = createNearPool();
    const times = faultTimes(args);
    const run = async (seed: number, by: Way): Promise<Outcome> => {
      const { plan, verdict, records } = await runHistory(drawPlan({ ...times, seed, way: by }), pool, folder);
      return { seed, plan, repeat: `--way ${by}`, records, ...verdict };
    };
    const series = args.names("way", ["tcp", "rest"] as const).map((by) => ({
      title: `near cache, ${by}`,
      run: oneByOne((seed) => run(seed, by)),
    }));
    return { series, close: pool.close };
  },
};
