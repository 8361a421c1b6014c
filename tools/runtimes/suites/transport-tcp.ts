import { describeSubscription, describeTransport } from "../../../packages/conformance/src/index.ts";
import { tcpTransport } from "../../../packages/transport-tcp/src/index.ts";
import { control } from "../inside/site.ts";
import type { Suite } from "../inside/suite.ts";

export const suite: Suite = (runner, site) => {
  const open = () => tcpTransport({ url: site.redisUrl });
  describeTransport("tcp", open, {
    ...runner,
    faults: { stall: () => control(site, "freeze"), resume: () => control(site, "thaw") },
  });
  describeSubscription("tcp", open, {
    ...runner,
    growing: true,
    faults: { sever: () => control(site, "kill"), restore: () => control(site, "restart") },
  });
};
