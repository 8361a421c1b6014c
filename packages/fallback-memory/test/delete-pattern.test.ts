import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { Cache, type Command, type Transport } from "@continuum-cache/core";
import { runs } from "@continuum-cache/test-scale";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";

let redis: RedisServer;
let own: Transport;
let others: Transport;

beforeAll(async () => {
  redis = await startRedisServer();
  own = tcpTransport({ url: redis.url });
  others = tcpTransport({ url: redis.url });
});
afterAll(async () => {
  await Promise.all([own.close(), others.close()]);
  await redis.close();
});

/** Fills the database: so many keys that match, and so many that do not. */
const fill = `
local matching, other = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call("FLUSHALL")
for i = 1, matching do redis.call("SET", "query:" .. i, i) end
for i = 1, other do redis.call("SET", "other:" .. i, i) end`;

/** What another client does before a trip leaves. */
const interference = fc.record({
  deletes: fc.array(fc.integer({ min: 1, max: 3_000 }), { maxLength: 50 }),
  writes: fc.array(fc.integer({ min: 1, max: 6_000 }), { maxLength: 50 }),
});

it("deletes every key that exists and matches all the time, while another client deletes and writes keys", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(3_000),
      fc.nat(6_000),
      fc.array(interference, { maxLength: 10 }),
      async (matching, other, interferences) => {
        await others.send([["EVAL", fill, 0, matching, other]]);
        const written = new Set<number>();
        let deletedByOthers = 0;
        let writtenByOthers = 0;
        const pending = [...interferences];
        const transport: Transport = {
          ...own,
          async send(commands, options) {
            const next = pending.shift();
            for (const number of next?.writes ?? []) written.add(number);
            const unlink: Command[] = (next?.deletes ?? []).map((number) => ["UNLINK", `query:${number}`]);
            const set: Command[] = (next?.writes ?? []).map((number) => ["SET", `query:${number}`, 1, "GET"]);
            if (unlink.length > 0) deletedByOthers += sum(await others.send(unlink));
            if (set.length > 0) writtenByOthers += (await others.send(set)).filter((before) => before === null).length;
            return own.send(commands, options);
          },
        };
        const deleted = await new Cache({ transport }).deletePattern("query:*");
        const [left] = await others.send([["KEYS", "query:*"]]);
        const numbers = (left as string[]).map((key) => Number(key.slice("query:".length)));
        expect(numbers.filter((number) => !written.has(number))).toEqual([]);
        expect(deleted).toBe(matching + writtenByOthers - deletedByOthers - numbers.length);
        expect(await others.send([["DBSIZE"]])).toEqual([other + numbers.length]);
      },
    ),
    runs(10),
  );
});

const sum = (replies: readonly unknown[]): number => replies.reduce<number>((all, reply) => all + Number(reply), 0);
