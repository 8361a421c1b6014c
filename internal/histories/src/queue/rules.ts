import type { Rules } from "../checking/rules.ts";
import type { History } from "./history.ts";
import { checkDeadlines, checkFinished, checkInnocentDeath } from "./rules/conduct.ts";
import { checkEffects, checkLoss } from "./rules/effects.ts";
import { checkFencing } from "./rules/fencing.ts";
import { checkRedelivery } from "./rules/redelivery.ts";
import { checkStarvation } from "./rules/starvation.ts";
import type { Violation } from "./violation.ts";

/** What a queue promises. Each rule says in its file how it judges. */
export const queueRules: Rules<History, Violation> = {
  loss: {
    promise:
      "Every acknowledged push is applied, unless its handler failed too often, or it was lost with its producer.",
    check: checkLoss,
  },
  effects: {
    promise: "What a message does is done once, and only what was pushed is given out, whole.",
    check: checkEffects,
  },
  death: {
    promise: "A message is given up only when its handler has failed `maxAttempts` times by itself.",
    check: checkInnocentDeath,
  },
  redelivery: {
    promise: "What a killed process had not finished is given to another within a lease and a half.",
    check: checkRedelivery,
  },
  fencing: {
    promise:
      "A lease is one process's alone: an ack of a lost lease never resolves, and nothing comes after an ack that did.",
    check: checkFencing,
  },
  deadlines: {
    promise: "Every call ends by its deadline, and no error is left without a handler.",
    check: checkDeadlines,
  },
  starvation: {
    promise: "No priority starves: while all priorities wait, the weights give each its share.",
    check: checkStarvation,
  },
  finished: {
    promise: "When all is well again, everything that waits is worked on.",
    check: checkFinished,
  },
};
