import { compare } from "./compare.ts";
import { federationCommands } from "./federation-commands.ts";
import { measureOutageLatency, outageLatencyTable, timeoutMs } from "./outage-latency.ts";
import { pubsubWebSockets } from "./pubsub-websockets.ts";
import { ratelimitBytes } from "./ratelimit-bytes.ts";
import { ratelimitConditions } from "./ratelimit-conditions.ts";
import { ratelimitOutage } from "./ratelimit-outage.ts";
import { measureSizes, sizeTable } from "./sizes.ts";

const measurements: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  async sizes() {
    console.log(`Bytes in Redis as a share of JSON\n\n${sizeTable(await measureSizes())}\n`);
  },
  compare,
  async outage() {
    const rows = await measureOutageLatency({ trials: 5, rounds: 5, sliceMs: 100 });
    console.log(
      `With the server away (timeout ${timeoutMs} ms); quantiles of calls as a ratio to the memory alone\n\n` +
        outageLatencyTable(rows),
    );
  },
  "federation-commands": federationCommands,
  "pubsub-websockets": pubsubWebSockets,
  "ratelimit-bytes": ratelimitBytes,
  "ratelimit-conditions": ratelimitConditions,
  "ratelimit-outage": ratelimitOutage,
};

/** `main.js`: sizes and outage; `main.js compare`: that one, with the arguments that follow. */
const [what, ...args] = process.argv.slice(2);
if (what !== undefined && !measurements[what]) {
  console.error(`Expected one of ${Object.keys(measurements).join(", ")}, or nothing, got ${JSON.stringify(what)}`);
  process.exit(2);
}
for (const name of what === undefined ? ["sizes", "outage"] : [what]) await measurements[name]?.(args);
