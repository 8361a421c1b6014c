import { applyRules } from "../checking/rules.ts";
import { type Outcome, oneByOne, type Subject, wayOption } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { regionsRules, runRegions } from "./run.ts";

/** Three instances in two regions, which are parted and joined again. */
export const regions: Subject = {
  title: "Regions",
  histories: 1,
  options: {
    way: wayOption,
    partition: { type: "string", default: "120" },
    calm: { type: "string", default: "10" },
    rate: { type: "string", default: "50" },
  },
  titles: {
    appended: "events appended",
    heldBack: "held back by the partition",
    converged: "from the partition's end to one state",
    settled: "from the last change to one state",
    delays: "from an append to the other region",
  },
  open(args) {
    const times = {
      partitionMs: args.number("partition") * 1_000,
      calmMs: args.number("calm") * 1_000,
      perSecond: args.number("rate"),
    };
    const run = async (seed: number, way: Way): Promise<Outcome> => {
      const plan = { seed, way, ...times };
      const result = await runRegions(plan);
      const { copies, heldBack, convergedMs, settledMs, delaysMs } = result;
      const { violations } = applyRules(regionsRules, result);
      return {
        ...{ seed, plan, repeat: `--way ${way}`, violations, records: [result] },
        counts: { appended: copies.reduce((sum, { appended }) => sum + appended, 0), heldBack },
        times: { converged: [convergedMs], settled: [settledMs], delays: delaysMs },
      };
    };
    const series = args.names("way", ["tcp", "rest"] as const).map((way) => ({
      title: `regions, ${way}`,
      run: oneByOne((seed) => run(seed, way)),
    }));
    return { series, close: async () => {} };
  },
};
