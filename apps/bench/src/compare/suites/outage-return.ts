import { setTimeout as sleep } from "node:timers/promises";
import { cpuMs, longestBlock, milliseconds } from "../columns.ts";
import { prepared, watchEventLoop } from "../measures.ts";
import { timeout } from "../patience.ts";
import type { Suite } from "../suite.ts";

const scenario = "return with 100,000 writes pending";

/** What the process does when the primary is back. */
export const outageReturn: Suite = {
  name: "outage-return",
  title: "Returning from an outage",
  about:
    "100,000 keys are written while Redis is killed. Then it is started again: from its start until it " +
    "has been told of all of them, the wait for the next health check (1 s at most) included.",
  servers: "none",
  value: milliseconds,
  columns: [cpuMs, longestBlock],
  scenarios: [scenario],
  contenders: [
    {
      name: "UpstashCache",
      kind: "ours",
      async open({ scale }) {
        const { startRedisServer } = await import("@continuum-cache/conformance/servers");
        const { UpstashCache } = await import("continuum-cache");
        const redis = await startRedisServer();
        const journal = { maxBytes: 2 ** 28 };
        const cache = new UpstashCache({ url: redis.url, healthCheckInterval: "1s", journal, timeout });
        const write = async (): Promise<void> => {
          for (let tick = Math.ceil(1_000 * scale); tick > 0; tick--) {
            const keys = Array.from({ length: 100 }, (_, nth) => `bench:${tick}:${nth}`);
            const answers = await Promise.all(keys.map((key) => cache.set(key, "value")));
            if (answers.includes(false)) throw new Error("Expected every write to be accepted, one was not");
          }
        };
        return {
          measures: {
            [scenario]: prepared(async () => {
              await redis.kill();
              await write();
              const loop = watchEventLoop();
              return {
                async run() {
                  await redis.restart();
                  while (cache.currentBackend === "local" || cache.pending > 0) await sleep(5);
                  return 1;
                },
                end: async () => ({ longestBlockMs: loop.stop() }),
              };
            }),
          },
          async close() {
            await cache.close();
            await redis.close();
          },
        };
      },
    },
  ],
};
