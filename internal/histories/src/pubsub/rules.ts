import type { Rules } from "../checking/rules.ts";
import type { History } from "./history.ts";
import { checkConduct } from "./rules/conduct.ts";
import { checkAuthentic, checkGapShapes, checkPlaces, checkSequence } from "./rules/deliveries.ts";
import { checkReplayLoss } from "./rules/replay-loss.ts";
import { checkVolatileLoss } from "./rules/volatile-loss.ts";
import type { Violation } from "./violation.ts";

/** What pub/sub promises. Each rule says in its file how it judges. */
export const pubsubRules: Rules<History, Violation> = {
  "volatile loss": {
    promise: "Without a history, every acknowledged message is handed out, or lies in a gap that is told in time.",
    check: checkVolatileLoss,
  },
  "replay loss": {
    promise:
      "With a history nothing is lost, repeated or out of order; what the history does not reach is counted exactly.",
    check: checkReplayLoss,
  },
  sequence: {
    promise: "A message comes at most once to a subscriber, and those of one publisher in the order of its calls.",
    check: checkSequence,
  },
  authentic: {
    promise: "What is handed out was published, just so, on that channel; what surely failed is not handed out.",
    check: checkAuthentic,
  },
  places: {
    promise: "A message has one place, for its publisher and all subscribers, and a place one message.",
    check: checkPlaces,
  },
  "gap shapes": {
    promise: "A gap begins before it ends, ends before it is told, and counts a whole number of messages or none.",
    check: checkGapShapes,
  },
  conduct: {
    promise: "Every call ends in time, and after the last fault every subscriber hears again.",
    check: checkConduct,
  },
};
