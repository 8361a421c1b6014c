import type { Rules } from "../checking/rules.ts";
import type { History } from "./history.ts";
import { checkConduct } from "./rules/conduct.ts";
import { checkIdentity } from "./rules/identity.ts";
import { checkLoss } from "./rules/loss.ts";
import { checkOrder } from "./rules/order.ts";
import type { Violation } from "./violation.ts";

/** What a log promises. Each rule says in its file how it judges. */
export const logRules: Rules<History, Violation> = {
  loss: {
    promise: "Every event that was acknowledged comes to every other instance, or is counted in a gap that is told.",
    check: checkLoss,
  },
  identity: {
    promise:
      "A number is one event's, numbers are dense, times never go back, and only what was appended is given, whole.",
    check: checkIdentity,
  },
  order: {
    promise: "A loop gets every event in order, gaps are counted exactly, and no event comes again that was committed.",
    check: checkOrder,
  },
  conduct: {
    promise: "Calls end in time, names go to their owners, gaps are told only of losses, and all instances catch up.",
    check: checkConduct,
  },
};
