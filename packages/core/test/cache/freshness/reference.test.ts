import { Cache } from "@continuum-cache/core";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { expiringStore } from "../../expiring-store.ts";

// The first use loads code.
beforeAll(() => new Cache({ transport: expiringStore().transport }).getOrSet("k", () => 1, { jitter: 0.1 }));
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"], now: 1e12 }));
afterEach(() => void vi.useRealTimers());

const ttlMs = 1_000;
const loadMs = 100;

/** What the caller's options are, and what happens when. */
const windows = fc.record({ swrMs: fc.constantFrom(0, 500, 2_000), sieMs: fc.constantFrom(0, 700, 3_000) });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("get" as const), fails: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(10, 90, 450, 1_100) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("set" as const) }) },
);

/** The rules in their plainest form: one key, whose calls follow one another and wait for their answers. */
function reference({ swrMs, sieMs }: { swrMs: number; sieMs: number }) {
  let nowMs = 0;
  let loads = 0;
  let stored: { value: number; freshUntilMs: number; keptUntilMs: number } | undefined;
  /** The load behind an answer. A write makes it outdated. */
  let behind: { value: number; endsMs: number; fails: boolean } | undefined;
  const keep = (value: number, atMs: number): void => {
    const freshUntilMs = atMs + ttlMs;
    stored = { value, freshUntilMs, keptUntilMs: freshUntilMs + Math.max(swrMs, sieMs) };
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    if (!behind || behind.endsMs > nowMs) return;
    if (!behind.fails) keep(behind.value, behind.endsMs);
    behind = undefined;
  };
  return {
    pass,
    write(value: number | undefined) {
      behind = undefined;
      stored = value === undefined ? undefined : { value, freshUntilMs: nowMs + ttlMs, keptUntilMs: nowMs + ttlMs };
    },
    get(fails: boolean): number | "failed" {
      const at = stored && stored.keptUntilMs > nowMs ? stored : undefined;
      const staleMs = at ? nowMs - at.freshUntilMs : Number.POSITIVE_INFINITY;
      if (at && staleMs < 0) return at.value;
      behind ??= { value: ++loads, endsMs: nowMs + loadMs, fails };
      if (at && staleMs < swrMs) return at.value;
      const { value, fails: hasFailed, endsMs } = behind;
      pass(endsMs - nowMs);
      if (!hasFailed) return value;
      return at && staleMs < sieMs ? at.value : "failed";
    },
  };
}

describe("freshness", () => {
  it("is what the plainest form of its rules says, for any calls, writes, failures and times", async () => {
    await fc.assert(
      fc.asyncProperty(windows, fc.array(step, { maxLength: 25 }), async ({ swrMs, sieMs }, steps) => {
        const cache = new Cache({ transport: expiringStore().transport });
        const model = reference({ swrMs, sieMs });
        const options = {
          ttl: `${ttlMs}ms`,
          jitter: 0,
          ...(swrMs > 0 && { staleWhileRevalidate: `${swrMs}ms` as const }),
          ...(sieMs > 0 && { staleIfError: `${sieMs}ms` as const }),
        } as const;
        let loads = 0;
        let running = 0;
        for (const each of steps) {
          if (each.kind === "pass") {
            await vi.advanceTimersByTimeAsync(each.ms);
            model.pass(each.ms);
          } else if (each.kind === "get") {
            const loader = async (): Promise<number> => {
              const value = ++loads;
              expect(++running).toBe(1);
              await new Promise((resolve) => setTimeout(resolve, loadMs));
              running--;
              if (each.fails) throw new Error("no database");
              return value;
            };
            let outcome: unknown;
            const call = cache.getOrSet("k", loader, options).catch(() => "failed");
            void call.then((value) => {
              outcome = value;
            });
            for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
            const expected = model.get(each.fails);
            // A call that waits does so until the load under way has ended.
            while (outcome === undefined) await vi.advanceTimersByTimeAsync(10);
            expect(outcome).toBe(expected);
          } else {
            const value = each.kind === "set" ? 1_000 : undefined;
            if (value === undefined) await cache.delete("k");
            else await cache.set("k", value, { ttl: `${ttlMs}ms` });
            model.write(value);
            // A loader that is outdated goes on, and the next load may begin beside it.
            await vi.advanceTimersByTimeAsync(loadMs);
            model.pass(loadMs);
          }
        }
      }),
      runs(200),
    );
  });
});
