import { join } from "node:path";
import { startChild } from "../child.ts";
import { commandsEach, cpuMs, longestBlock, longestPing, milliseconds } from "../columns.ts";
import { prepared, watchEventLoop } from "../measures.ts";
import { connectMiniResp, type MiniResp } from "../references/mini-resp.ts";
import type { Contender, Opened, Site, Suite } from "../suite.ts";

const scenario = "deletePattern, 100,000 of 1,000,000 keys";

/** KEYS none. ARGV how many, out of how many of them one is to be deleted. */
const populate = `
for n = 1, tonumber(ARGV[1]) do
  redis.call("SET", (n % tonumber(ARGV[2]) == 0 and "bench:doomed:" or "bench:kept:") .. n, "value")
end`;

/** @param deletePattern - Deletes all keys that match, and returns how many. */
async function opened(
  { redisUrl, scale }: Site,
  deletePattern: (glob: string) => Promise<number>,
  close: () => unknown,
): Promise<Opened> {
  const admin = connectMiniResp(redisUrl);
  const pinger = startChild(join(import.meta.dirname, "../ping-process"));
  const count = Math.ceil(1_000_000 * scale);
  return {
    measures: {
      [scenario]: prepared(async () => {
        await admin.command("FLUSHALL");
        await admin.command("EVAL", populate, 0, count, 10);
        await pinger.ask({ start: redisUrl });
        const loop = watchEventLoop();
        return {
          async run() {
            const deleted = await deletePattern("bench:doomed:*");
            const expected = Math.floor(count / 10);
            if (deleted !== expected) throw new Error(`Expected ${expected} keys to be deleted, got ${deleted}`);
            return 1;
          },
          async end() {
            const longestBlockMs = loop.stop();
            return { longestBlockMs, longestPingMs: await pinger.ask<number>("stop") };
          },
        };
      }),
    },
    async close() {
      admin.close();
      await pinger.end();
      await close();
    },
  };
}

/** SCAN and UNLINK in turns, a thousand keys each. */
async function scanAndUnlink(client: MiniResp, glob: string): Promise<number> {
  let deleted = 0;
  let cursor = "0";
  do {
    const reply = await client.command("SCAN", cursor, "MATCH", glob, "COUNT", 1_000);
    const [next, keys] = reply as readonly [string, readonly string[]];
    cursor = next;
    if (keys.length > 0) deleted += Number(await client.command("UNLINK", ...keys));
  } while (cursor !== "0");
  return deleted;
}

const ours = (
  name: string,
  make: (url: string) => Promise<{
    deletePattern(glob: string, options: { timeout: "5m" }): Promise<number>;
    close(): Promise<unknown>;
  }>,
): Contender => ({
  name,
  kind: "ours",
  async open(site) {
    const cache = await make(site.redisUrl);
    return opened(
      site,
      (glob) => cache.deletePattern(glob, { timeout: "5m" }),
      () => cache.close(),
    );
  },
});

/** A deletion that takes seconds, and what it does to others. */
export const deletePattern: Suite = {
  name: "delete-pattern",
  title: "deletePattern",
  about: "A tenth of 1,000,000 keys, with another client that sends one PING after the other meanwhile.",
  servers: "redis",
  value: milliseconds,
  columns: [cpuMs, commandsEach, longestPing, longestBlock],
  scenarios: [scenario],
  contenders: [
    ours("UpstashCache", async (url) => new (await import("continuum-cache")).UpstashCache({ url })),
    ours("Cache on tcpTransport", async (url) => {
      const { Cache } = await import("@continuum-cache/core");
      const { tcpTransport } = await import("@continuum-cache/transport-tcp");
      return new Cache({ transport: tcpTransport({ url }) });
    }),
    {
      name: "SCAN and UNLINK of 1,000",
      kind: "the minimal RESP client",
      async open(site) {
        const client = connectMiniResp(site.redisUrl);
        return opened(
          site,
          (glob) => scanAndUnlink(client, glob),
          () => client.close(),
        );
      },
    },
  ],
};
