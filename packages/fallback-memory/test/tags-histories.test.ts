import { Cache, type Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const steps = fc.array(
  fc.record({
    process: fc.nat(1),
    kind: fc.constantFrom(
      "get",
      "getMany",
      "load",
      "load",
      "load late",
      "load many",
      "invalidate",
      "invalidate",
      "evict",
    ),
    key: fc.constantFrom("a", "b"),
    tag: fc.constantFrom("t", "u"),
    pauses: fc.nat(8),
    loaderPauses: fc.nat(12),
  }),
  { minLength: 4, maxLength: 25 },
);

/** Lets everything else go on for some turns of the event loop. */
async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A network to one server: trips and answers take a while each, and overtake one another. */
function network(server: Transport, nextDelay: () => number): Transport {
  return {
    name: "network",
    async send(commands, options) {
      await pause(nextDelay());
      const replies = await server.send(commands, options);
      await pause(nextDelay());
      return replies;
    },
    async close() {},
  };
}

describe("random histories of two processes, one database and two tags", () => {
  it("never serve a value whose load began before an invalidation that had returned", async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(fc.nat(5), { minLength: 7, maxLength: 13 }), async (history, delays) => {
        const server = memoryTransport();
        let at = 0;
        const nextDelay = (): number => delays[at++ % delays.length] as number;
        const processes = [0, 1].map(() => new Cache({ transport: network(server, nextDelay) }));
        // What the database holds: the number of its changes. Each change is followed by an invalidation of its tag.
        let version = 0;
        const invalidated = { t: 0, u: 0 };
        const stale: string[] = [];

        const run = async ({ process, kind, key, tag, loaderPauses }: (typeof history)[number]): Promise<void> => {
          const cache = processes[process] as Cache;
          const before = { ...invalidated };
          const check = (value: unknown): void => {
            if (value === undefined) return;
            const { seen, tags } = value as { seen: number; tags: ("t" | "u")[] };
            for (const each of tags) if (seen < before[each]) stale.push(`${kind} ${key}: ${seen} < ${before[each]}`);
          };
          const load = async () => {
            await pause(loaderPauses);
            const value = { seen: version, tags: [tag] };
            await pause(3 * loaderPauses);
            return value;
          };
          if (kind === "get") check(await cache.get(key));
          else if (kind === "getMany") (await cache.getMany(["a", "b"])).forEach(check);
          else if (kind === "load") check(await cache.getOrSet(key, load, { tags: [tag] }));
          else if (kind === "load late") check(await cache.getOrSet(key, load, { tags: (value) => value.tags }));
          else if (kind === "load many") {
            const loadAll = async (keys: string[]) =>
              new Map(await Promise.all(keys.map(async (each) => [each, await load()] as const)));
            (await cache.getOrSetMany(["a", "b"], loadAll, { tags: [tag] })).forEach(check);
          } else if (kind === "invalidate") {
            version++;
            const now = version;
            await cache.invalidateTags(tag);
            invalidated[tag] = Math.max(invalidated[tag], now);
          } else await server.send([["DEL", `continuum-cache:tag:${tag}`]]);
        };

        const running: Promise<void>[] = [];
        for (const step of history) {
          running.push(run(step));
          await pause(step.pauses);
        }
        await Promise.all(running);
        expect(stale).toEqual([]);
        for (const cache of processes) await cache.close();
      }),
      runs(400),
    );
  });
});
