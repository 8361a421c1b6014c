import { control, site } from "@continuum-cache/runtime-site";
import { same, sameIn, until } from "@continuum-cache/runtime-site/same";
import { describe, it } from "vitest";
import { Cache, type Transport } from "../../core/src/index.ts";
import { memoryTransport } from "../../fallback-memory/src/index.ts";
import { restTransport } from "../../transport-rest/src/index.ts";
import { FederationQueue, federate, isLeaseLostError, type LogEntry, relay, SyncLog } from "../src/index.ts";

interface Closable {
  close(): Promise<unknown>;
}

/** Closes what was opened with it, the last first, whatever becomes of the work. */
async function closing(work: (opened: <T extends Closable>(one: T) => T) => Promise<void>): Promise<void> {
  const all: Closable[] = [];
  try {
    await work((one) => {
      all.unshift(one);
      return one;
    });
  } finally {
    for (const one of all) await one.close();
  }
}

const rest = (): Transport => restTransport({ url: site.restUrl, token: site.restToken });
const backends: readonly [name: string, make: () => Transport][] = [
  ["REST", rest],
  ["memory", () => memoryTransport()],
];
let count = 0;
const fresh = (what: string): string => `fed:${what}-${++count}`;

for (const [name, make] of backends) {
  describe(`a queue over ${name}`, () => {
    const withQueue = (work: (queue: FederationQueue<number>) => Promise<void>): Promise<void> =>
      closing(async (opened) => {
        const transport = opened(make());
        const options = { prefix: fresh("queue"), visibilityTimeout: "400ms", maxAttempts: 2 } as const;
        await work(opened(new FederationQueue<number>({ transport }, options)));
      });

    it("gives out each message, the urgent ones first, and knows a repeated id", () =>
      withQueue(async (queue) => {
        await queue.push(1, { priority: "low" });
        await queue.push(2, { priority: "high", id: "two" });
        same(await queue.push(2, { priority: "high", id: "two" }), { id: "two", duplicate: true });
        const leases = await queue.pull({ max: 10 });
        same(
          leases.map(({ event }) => event),
          [2, 1],
        );
        await Promise.all(leases.map((lease) => lease.ack()));
        sameIn(await queue.stats(), { depth: 0, inFlight: 0, dead: 0 });
      }));

    it("wakes a worker, and is empty when all handlers have returned", () =>
      withQueue(async (queue) => {
        const done: number[] = [];
        const worker = queue.consume((event) => void done.push(event), { concurrency: 4 });
        await queue.pushMany(Array.from({ length: 20 }, (_, event) => ({ event })));
        await until("all are done", () => done.length === 20);
        await worker.stop();
        same(
          done.sort((a, b) => a - b),
          Array.from({ length: 20 }, (_, event) => event),
        );
        sameIn(await queue.stats(), { depth: 0, inFlight: 0 });
      }));

    it("counts failures, keeps the dead with their reason, and gives them out again when asked", () =>
      withQueue(async (queue) => {
        await queue.push(1);
        for (const attempt of [1, 2]) {
          const [lease] = await queue.pull();
          sameIn(lease, { attempt, crashes: 0 });
          await lease?.nack({ delay: 0, reason: "no such thing" });
        }
        const [dead] = await queue.dead();
        sameIn(dead, { event: 1, reason: "failed" });
        same(await queue.redrive(), 1);
        const [again] = await queue.pull();
        sameIn(again, { event: 1, attempt: 1 });
        await again?.ack();
      }));

    it("gives out again what was held too long, and refuses the late ack", () =>
      withQueue(async (queue) => {
        await queue.push(1);
        const [late] = await queue.pull();
        const leases: unknown[] = [];
        await until("it is given out again", async () => {
          const [lease] = await queue.pull();
          if (!lease) return false;
          sameIn(lease, { event: 1, crashes: 1 });
          leases.push(lease);
          let refused: unknown;
          await late?.ack().catch((error: unknown) => {
            refused = error;
          });
          same(isLeaseLostError(refused), true);
          await lease.ack();
          return true;
        });
        same(leases.length, 1);
      }));
  });

  describe(`a log over ${name}`, () => {
    it("gives each instance the events of the others, in order, from behind its last commit", () =>
      closing(async (opened) => {
        const transport = opened(make());
        const key = fresh("log");
        const a = opened(new SyncLog<number>({ transport }, { instanceId: "a", key }));
        const b = opened(new SyncLog<number>({ transport }, { instanceId: "b", key }));
        await a.appendMany([1, 2, 3]);
        await b.append(9);
        const take = async (most: number): Promise<readonly LogEntry<number>[]> => {
          const entries: LogEntry<number>[] = [];
          for await (const entry of b.follow()) {
            entries.push(entry);
            if (entries.length === most) await entry.commit();
            if (entries.length === most) break;
          }
          return entries;
        };
        const read = [...(await take(2)), ...(await take(1))];
        same(
          read.map(({ origin, seq, event }) => [origin, seq, event]),
          [
            ["a", 1, 1],
            ["a", 2, 2],
            ["a", 3, 3],
          ],
        );
      }));
  });
}

describe("an outage", () => {
  it("keeps pushes and appends in order, and brings each once", () =>
    closing(async (opened) => {
      const transport = opened(rest());
      const queue = opened(new FederationQueue<number>({ transport }, { prefix: fresh("queue"), timeout: "1s" }));
      const key = fresh("log");
      const [a, b] = ["a", "b"].map((instanceId) =>
        opened(new SyncLog<number>({ transport }, { instanceId, key, timeout: "1s" })),
      ) as [SyncLog<number>, SyncLog<number>];
      await queue.push(0);
      await a.append(0);
      await control("die");
      for (const event of [1, 2]) {
        sameIn(await queue.push(event), { pending: true });
        sameIn(await a.append(event), { pending: true });
      }
      await control("revive");
      await until("nothing is pending", () => queue.pending + a.pending === 0);
      const leases = await queue.pull({ max: 10 });
      same(
        leases.map(({ event }) => event),
        [0, 1, 2],
      );
      await Promise.all(leases.map((lease) => lease.ack()));
      const events: number[] = [];
      for await (const { event } of b.follow()) if (events.push(event) === 3) break;
      same(events, [0, 1, 2]);
    }));
});

describe("federation", () => {
  it("deletes on the instances of another region", () =>
    closing(async (opened) => {
      const [here, there] = [opened(rest()), opened(memoryTransport())];
      const key = fresh("caches");
      opened(relay({ transport: here }, { transport: there }, { key }));
      opened(relay({ transport: there }, { transport: here }, { key }));
      const [one, other] = [here, there].map((transport, at) => {
        const cache = opened(new Cache({ transport }));
        const log = opened(new SyncLog<never>(cache, { instanceId: `region-${at}`, key }));
        return opened(federate(cache, log, { scope: "memory:*" }));
      });
      await one?.set("memory:7", "here");
      await other?.set("memory:7", "there");
      await one?.delete("memory:7");
      await until("it is gone there", async () => (await other?.get("memory:7")) === undefined);
      await other?.set("memory:8", "there");
      await one?.set("memory:8", "here");
      await other?.deletePattern("memory:*");
      await until("it is gone here", async () => (await one?.get("memory:8")) === undefined);
    }));
});
