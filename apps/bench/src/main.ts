import { measureOutageLatency, outageLatencyTable, timeoutMs } from "./outage-latency.ts";
import { measureSizes, sizeTable } from "./sizes.ts";
import { measureSpeed, speedTable } from "./speed.ts";

/** `main.js`: all; `main.js sizes`, `main.js speed` or `main.js outage`: one. */
const [what = "all"] = process.argv.slice(2);
if (!["all", "sizes", "speed", "outage"].includes(what)) {
  console.error(`Expected "sizes", "speed", "outage" or nothing, got ${JSON.stringify(what)}`);
  process.exit(2);
}
const isAsked = (name: string): boolean => what === "all" || what === name;

if (isAsked("sizes")) console.log(`Bytes in Redis as a share of JSON\n\n${sizeTable(await measureSizes())}\n`);
if (isAsked("speed")) {
  console.log(`Speed, all in one run\n\n${speedTable(await measureSpeed({ rounds: 9, sliceMs: 400 }))}\n`);
}
if (isAsked("outage")) {
  const rows = await measureOutageLatency({ trials: 5, rounds: 5, sliceMs: 100 });
  console.log(
    `With the server away (timeout ${timeoutMs} ms); quantiles of calls as a ratio to the memory alone\n\n${outageLatencyTable(rows)}`,
  );
}
