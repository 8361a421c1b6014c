import { faultTimes, type Outcome, oneByOne, type Subject, wayOption } from "../run/subject.ts";
import type { Way } from "../site/address.ts";
import { type ContenderName, contenderNames, contenders } from "./clients/catalog.ts";
import { drawPlan } from "./plan.ts";
import { createPubSubPool, runHistory } from "./run-history.ts";

/** Processes that publish and listen while everything goes wrong; also with the clients of others, for comparison. */
export const pubsub: Subject = {
  title: "Pub/sub",
  histories: 2,
  options: {
    way: wayOption,
    seconds: { type: "string", default: "10" },
    longest: { type: "string", default: "10" },
    contender: { type: "string", multiple: true, default: ["ours"] },
  },
  titles: {
    acked: "acknowledged messages",
    failed: "calls that failed",
    degraded: "published within the process",
    gaps: "gaps told",
    covered: "missing as told",
    forgotten: "lost by the server unread",
  },
  open(args, folder) {
    const pool = createPubSubPool();
    const times = faultTimes(args);
    const ways = args.names("way", ["tcp", "rest"] as const);
    const run = async (seed: number, contender: ContenderName, way: Way): Promise<Outcome> => {
      const plan = drawPlan({ seed, way, contender, ...times });
      const { verdict, records } = await runHistory(plan, pool, folder);
      return { seed, plan, repeat: `--way ${way}`, records, ...verdict };
    };
    const series = args
      .names("contender", contenderNames)
      .flatMap((name) => contenders[name].ways.filter((way) => ways.includes(way)).map((way) => [name, way] as const))
      .map(([name, way]) => ({
        title: `${contenders[name].title}, ${way}`,
        isJudged: name === "ours",
        run: oneByOne((seed) => run(seed, name, way)),
      }));
    return { series, close: pool.close };
  },
};
