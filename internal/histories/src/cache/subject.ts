import { type Subject, wayOption } from "../run/subject.ts";
import { runHistories } from "./run-histories.ts";

/** Clients of a cache whose server goes away and comes back. */
export const cache: Subject = {
  title: "The cache",
  histories: 200,
  isAtOnce: true,
  options: { way: wayOption },
  titles: { outages: "times local", interruptedReplays: "replays interrupted" },
  open(args) {
    const ways = args.names("way", ["tcp", "rest"] as const);
    return {
      series: [{ title: "UpstashCache", run: (span, onOutcome) => runHistories({ ...span, ways }, onOutcome) }],
      close: async () => {},
    };
  },
};
