import { startRedisServer } from "@continuum-cache/conformance/servers";
import { runScript } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { expect, it } from "vitest";
import { algorithms } from "../../src/algorithms/algorithms.ts";
import { batchArguments, readBatchReply } from "../../src/limits/batch.ts";
import type { LimitRequest } from "../../src/limits/limit-request.ts";

const opened = closing();
const windowUs = 60_000_000;

it.each([2_000, 5_000])(
  "a window that is ahead of a clock that was set back lives on with each call, at a limit of %d",
  async (limit) => {
    const redis = opened(await startRedisServer());
    const facts = algorithms["sliding-window"];
    const extra = facts.extra(windowUs, limit, limit);
    const request: LimitRequest = {
      ...{ key: "k", algorithm: "sliding-window", facts, scope: "" },
      ...{ windowUs, limit, capacity: limit, extra, cost: 1 },
    };
    const call = { requests: [request], merges: [] };
    for (const transport of [opened(tcpTransport({ url: redis.url })), opened(memoryTransport())]) {
      const decide = async (nowUs: number) => {
        const { keys, words } = batchArguments([call]);
        return readBatchReply(await runScript(transport, facts.scripts.decide, keys, [nowUs, 0, ...words]), [call])
          ?.calls[0];
      };
      const livesMs = async () => Number((await transport.send([["PTTL", "k"]]))[0]);
      const startUs = 1_790_000_000_000_000;
      const count = 200;
      for (let at = 0; at < count; at++) await decide(startUs + at * 250_000);
      for (let at = 0; at < 3; at++) {
        // The clock goes on, but has yet to come to where it was.
        await transport.send([["PEXPIRE", "k", 5_000]]);
        expect(await decide(startUs + at * 3_000_000)).toMatchObject({
          isAllowed: true,
          results: [{ current: count + at + 1 }],
        });
        expect(await livesMs()).toBeGreaterThan(windowUs / 1_000 - 1);
      }
    }
  },
);
