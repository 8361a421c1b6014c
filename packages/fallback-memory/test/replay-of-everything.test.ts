import { commandHistories, type HistoryTrip } from "@continuum-cache/conformance";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { contents } from "./contents.ts";
import { switchable } from "./switchable.ts";

/** Runs a history in an outage that begins with an empty database, and tells what is left of it in both places. */
async function replayed(history: readonly HistoryTrip[], store: Transport, untilBack: () => Promise<unknown>) {
  const primary = switchable(store);
  // Both at the same moment, so that what is counted from now on ends at the same.
  const nowMs = Date.now();
  const clock = { now: () => nowMs };
  const reference = memoryTransport({ clock });
  const transport = withFallback(primary, memoryTransport({ clock }), { healthCheckInterval: "20ms" });
  primary.fail("unreachable", { delivery: "none" });
  // From here on nothing that stood at the primary matters.
  await transport.send([["PING"]], { invalidates: ["*"] });
  for (const { commands, atomic } of history) {
    const isDone = await wasDone(transport.send(commands, { atomic }));
    if (isDone) await reference.send(commands, { atomic });
  }
  primary.restore();
  await untilBack();
  await expect.poll(() => transport.status?.currentBackend, { interval: 5 }).toBe("upstash");
  expect(transport.status?.pending).toBe(0);
  return { there: await contents(store), here: await contents(reference) };
}

/** What can't be done in an outage (FLUSHDB, unknown commands) is refused before anything has run. */
const wasDone = (trip: Promise<unknown>): Promise<boolean> =>
  trip.then(
    () => true,
    (error) => {
      expect(error).toMatchObject({ name: "TransportError", kind: "unreachable", delivery: "none" });
      return false;
    },
  );

describe("all changes of keys whose whole values are known", () => {
  describe("make the primary's values equal to the local ones", () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it("when that is another memory", async () => {
      await fc.assert(
        fc.asyncProperty(commandHistories({ withBytes: false }), async (history) => {
          const { there, here } = await replayed(history, memoryTransport(), () => vi.advanceTimersByTimeAsync(1_000));
          expect(there).toEqual(here);
        }),
        runs(60),
      );
    });
  });

  describe("make the values in Redis equal to the local ones", () => {
    let server: RedisServer;
    let redis: Transport;
    beforeAll(async () => {
      server = await startRedisServer();
      redis = tcpTransport({ url: server.url });
    });
    afterAll(async () => {
      await redis.close();
      await server.close();
    });

    it("streams and their groups", async () => {
      await fc.assert(
        fc.asyncProperty(commandHistories({ only: (name) => /^(X|DEL$|RENAME)/.test(name) }), async (history) => {
          const { there, here } = await replayed(history, redis, async () => {});
          expect(there).toEqual(here);
        }),
        runs(20),
      );
    });

    it("with the scripts' other face", async () => {
      await fc.assert(
        fc.asyncProperty(commandHistories(), async (history) => {
          const { there, here } = await replayed(history, redis, async () => {});
          expect(there).toEqual(here);
        }),
        runs(20),
      );
    });
  });
});
