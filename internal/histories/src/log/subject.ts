import { fleetOptions, fleetTimes, type Outcome, oneByOne, type Subject } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { drawPlan } from "./plan.ts";
import { createLogPool, runHistory } from "./run-history.ts";

/** Processes that append and follow while everything goes wrong. */
export const log: Subject = {
  title: "The log",
  histories: 2,
  options: fleetOptions,
  titles: {
    acked: "acknowledged",
    pending: "of these, waited in their process first",
    failed: "calls that failed",
    given: "given to instances",
    again: "given again, not committed before",
    sessions: "loops, by origin",
    gaps: "gaps told",
    kills: "processes killed",
    repaired: "lost by the server, or thought to be, and repeated",
    lostWaiting: "lost waiting in a killed process",
    lostTogether: "lost with process and server together",
    rewritten: "numbers given anew, with process and server lost together",
  },
  open(args, folder) {
    const pool = createLogPool();
    const times = fleetTimes(args);
    const run = async (seed: number, way: Way): Promise<Outcome> => {
      const { plan, verdict, records } = await runHistory(drawPlan({ ...times, seed, way }), pool, folder);
      return { seed, plan, repeat: `--way ${way}`, records, ...verdict };
    };
    const series = args.names("way", ["tcp", "rest"] as const).map((way) => ({
      title: `log, ${way}`,
      run: oneByOne((seed) => run(seed, way)),
    }));
    return { series, close: pool.close };
  },
};
