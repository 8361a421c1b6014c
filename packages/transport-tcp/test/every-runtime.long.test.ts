import { control, site } from "@continuum-cache/runtime-site";
import { afterAll, describe, it } from "vitest";
import { describeSubscription, describeTransport } from "../../conformance/src/index.ts";
import { tcpTransport } from "../src/index.ts";

const runner = { describe, it, afterAll };

const open = () => tcpTransport({ url: site.redisUrl });
describeTransport("tcp", open, {
  ...runner,
  faults: { stall: () => control("freeze"), resume: () => control("thaw") },
});
describeSubscription("tcp", open, {
  ...runner,
  growing: true,
  faults: { sever: () => control("kill"), restore: () => control("restart") },
});
