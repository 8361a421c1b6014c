import type { Way } from "../site/address.ts";
import type { Durability } from "../site/servers.ts";
import type { FaultWeights } from "./fault-plan.ts";

/** What queues and logs meet on any way to their server. */
const onAnyWay: FaultWeights = {
  "kill process": 12,
  "freeze process": 4,
  "kill all connections": 3,
  "freeze server": 3,
  "cut a": 2,
  "cut b": 2,
  "blackhole a": 2,
  "blackhole b": 2,
  "lose replies a": 2,
  "lose replies b": 3,
  "lose requests a": 1,
  "lose requests b": 1,
  delay: 2,
};
const onRest: FaultWeights = {
  "gateway refuses": 2,
  "gateway hangs": 2,
  "gateway fails": 2,
  "gateway loses replies": 3,
};

/** How often queues and logs meet each fault. */
export const weightsOf = (run: {
  readonly way: Way;
  readonly durability: Durability;
  readonly hasRepeats: boolean;
}): FaultWeights => ({
  ...onAnyWay,
  ...(run.way === "rest" && onRest),
  [run.durability === "failover" ? "fail over" : "restart server"]: 5,
  ...(run.hasRepeats && { "repeat requests": 4 }),
});
