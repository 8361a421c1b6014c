import type { Rules } from "../checking/rules.ts";
import type { Evidence } from "./evidence.ts";
import { findHarmedBystanders } from "./rules/bystanders.ts";
import { findBrokenCalls, findUnsettled } from "./rules/conduct.ts";
import { findMiscounts } from "./rules/counters.ts";
import { findListFaults } from "./rules/lists.ts";
import { findLost } from "./rules/lost.ts";
import { findPhantoms } from "./rules/phantom.ts";
import { findResurrections } from "./rules/resurrection.ts";
import { findUnrefused, findUntold } from "./rules/truth.ts";
import type { Violation } from "./violation.ts";

/** What a cache promises about outages. Each rule says in its file how it judges. */
export const cacheRules: Rules<Evidence, Violation> = {
  resurrection: { promise: "What was deleted is never served again.", check: findResurrections },
  phantom: { promise: "A key holds only what a client wrote to it.", check: findPhantoms },
  lost: { promise: "What was acknowledged is there, and outage writes give way to later ones.", check: findLost },
  counters: { promise: "A counter is the sum of its increments.", check: findMiscounts },
  lists: { promise: "A list holds each pushed value once, in the order of its client.", check: findListFaults },
  untold: { promise: "`pending` counts every mutation that only the client knows of.", check: findUntold },
  unrefused: {
    promise: "`fallback: false` is never answered from a primary that lacks own writes.",
    check: findUnrefused,
  },
  unsettled: { promise: "A client comes back, tells everything, and reports what became of it.", check: findUnsettled },
  calls: { promise: "A call ends in time, and is not rejected because of the primary.", check: findBrokenCalls },
  bystanders: { promise: "Keys that no client has named stay as they are.", check: findHarmedBystanders },
};
