import { applyRules } from "../checking/rules.ts";
import { type Outcome, oneByOne, type Subject, wayOption } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { leftoversRules, runLeftovers } from "./run.ts";

/** What is in Redis after many messages and many workers that were killed and closed. */
export const leftovers: Subject = {
  title: "What queues and logs leave in Redis",
  histories: 1,
  options: {
    way: { ...wayOption, default: ["tcp"] },
    messages: { type: "string", default: "200000" },
    restarts: { type: "string", default: "200" },
    counts: { type: "string", default: "10" },
  },
  titles: { entries: "entries in the queue's streams" },
  open(args) {
    const sizes = {
      messages: args.number("messages"),
      restarts: args.number("restarts"),
      counts: args.number("counts"),
    };
    const run = async (seed: number, way: Way): Promise<Outcome> => {
      const plan = { seed, way, ...sizes };
      const records = await runLeftovers(plan);
      const { violations } = applyRules(leftoversRules, records);
      for (const row of records) console.log(JSON.stringify(row));
      const { undone: _, ...counts } = records.at(-1) ?? { undone: 0 };
      return { seed, plan, repeat: `--way ${way}`, violations, records, counts };
    };
    const series = args.names("way", ["tcp", "rest"] as const).map((way) => ({
      title: `leftovers, ${way}`,
      run: oneByOne((seed) => run(seed, way)),
    }));
    return { series, close: async () => {} };
  },
};
