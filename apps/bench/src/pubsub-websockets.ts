import { parseArgs } from "node:util";
import type { WebSocketPlan } from "./pubsub/websockets/plan.ts";
import { brokenPromises, webSocketTable } from "./pubsub/websockets/report.ts";
import { measureWebSockets } from "./pubsub/websockets/run.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/**
 * `bench pubsub-websockets [--clients 10000] [--frozen 100] [--seconds 60] [--rate 2] [--wide-rate 5]`: one bridge,
 * many clients, some of which don't read. Exit code 1 when a promise is broken.
 */
export async function pubsubWebSockets(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: "string", default: "10000" },
      frozen: { type: "string", default: "100" },
      seconds: { type: "string", default: "60" },
      rate: { type: "string", default: "2" },
      "wide-rate": { type: "string", default: "5" },
    },
  });
  const plan: WebSocketPlan = {
    clients: wholeNumber("clients", values.clients),
    frozen: wholeNumber("frozen", values.frozen),
    seconds: wholeNumber("seconds", values.seconds),
    rate: wholeNumber("rate", values.rate),
    wideRate: wholeNumber("wide-rate", values["wide-rate"]),
    wideBytes: 32_768,
    maxBufferedBytes: 262_144,
    patienceMs: 30_000,
  };
  console.log(`${plan.clients} WebSockets on one server process, ${plan.frozen} of them frozen\n`);
  const run = await measureWebSockets(plan);
  console.log(`${webSocketTable(run)}\n`);
  const broken = brokenPromises(run);
  for (const line of broken) console.log(line);
  if (broken.length > 0) process.exitCode = 1;
}
