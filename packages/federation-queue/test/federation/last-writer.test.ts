import { Cache } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Applier, createApplier } from "../../src/federation/applier.ts";
import type { CacheChange } from "../../src/federation/cache-change.ts";
import { type HybridTimestamp, isLater, ticksPerMs, tiebreakerOf } from "../../src/federation/hybrid-timestamp.ts";
import { readFederationSettings } from "../../src/federation/settings.ts";
import { createValueSync } from "../../src/federation/value-sync.ts";
import { SyncLog } from "../../src/log/sync-log.ts";
import { closing } from "../log/logs.ts";

// Random writes of regions, delivered in any order and any number of times: in the end all regions hold the result of
// the latest write of each key, by the timestamps alone.

const opened = closing();
const keys = ["memory:a:1", "memory:a:2", "memory:b:1"];
const globs = ["memory:a:*", "memory:*", "memory:?:1"];

interface Region {
  readonly name: string;
  readonly cache: Cache;
  /** Instances of the region, each with its own memory. */
  readonly appliers: readonly Applier[];
  write(change: Write): Promise<CacheChange>;
}

type Write =
  | { do: "set"; key: number; value: number }
  | { do: "delete"; key: number }
  | { do: "invalidate"; glob: number };

/** @param aheadMs - By how much the region's clock is ahead of the others. */
function openRegion(name: string, aheadMs: number): Region {
  const transport = opened(memoryTransport());
  const cache = new Cache({ transport, defaultTtl: "1h" });
  const log = opened(new SyncLog(cache, { instanceId: name }));
  const settings = readFederationSettings(cache, log, { scope: "memory:*", values: true });
  const { values: clockSettings } = settings;
  if (!clockSettings) throw new Error("Expected values");
  const make = () => {
    const values = createValueSync(settings, clockSettings);
    if (aheadMs > 0) values.clock.observe((Date.now() + aheadMs) * ticksPerMs);
    return { values, applier: createApplier(settings, values) };
  };
  const [one, other] = [make(), make()];
  return {
    name,
    cache,
    appliers: [one.applier, other.applier],
    async write(write) {
      if (write.do === "invalidate") {
        const glob = globs[write.glob] ?? "";
        const change: CacheChange = { type: "fed.invalidate", globs: [glob], at: await one.values.clock.now() };
        one.values.tombstones.add(glob, { at: change.at ?? 0, tiebreaker: one.values.tiebreaker });
        await cache.deletePattern(glob);
        await one.applier.apply(change, name);
        return change;
      }
      const key = keys[write.key] ?? "";
      const put =
        write.do === "set"
          ? { kind: "set" as const, value: String(write.value), ttlMs: 3_600_000 }
          : { kind: "delete" as const };
      const [change] = await one.values.put([{ key, ...put }]);
      return change as CacheChange;
    },
  };
}

/** The value of a key after the latest of all changes. */
function expected(changes: readonly { change: CacheChange; origin: string }[], key: string): number | undefined {
  let latest: HybridTimestamp = { at: 0, tiebreaker: 0 };
  let value: number | undefined;
  for (const { change, origin } of changes) {
    const at = change.type === "fed.delete" ? change.at?.[0] : change.at;
    const written = { at: at ?? 0, tiebreaker: tiebreakerOf(origin) };
    const concerns =
      change.type === "fed.invalidate"
        ? (change.globs ?? []).some((glob) => new RegExp(`^${glob.replace("*", ".*").replace("?", ".")}$`).test(key))
        : change.type === "fed.set"
          ? change.key === key
          : change.keys.includes(key);
    if (!concerns || !isLater(written, latest)) continue;
    latest = written;
    value = change.type === "fed.set" ? Number(change.value) : undefined;
  }
  return value;
}

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("set" as const), key: fc.nat({ max: 2 }), value: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), key: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("invalidate" as const), glob: fc.nat({ max: 2 }) }) },
);
/**
 * A write at an instance, or the delivery of a change: which undelivered one, where, and whether it is delivered again.
 */
const step = fc.oneof(
  fc.record({ region: fc.nat({ max: 2 }), write }),
  fc.record({ region: fc.nat({ max: 2 }), instance: fc.nat({ max: 1 }), which: fc.nat(), again: fc.boolean() }),
);

it("three regions converge to the value of the latest write", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 40, size: "max" }),
      fc.constantFrom(0, 10, 60_000),
      async (steps, skewMs) => {
        const regions = ["east", "west", "south"].map((name, at) => openRegion(name, (at * skewMs) / 2));
        const changes: { change: CacheChange; origin: string }[] = [];
        /** The undelivered changes of each instance of each region. A writer does not get its own. */
        const inboxes = regions.map(() => [[], []] as (typeof changes)[]);
        const hear = async (region: number, instance: number, which: number, again: boolean): Promise<void> => {
          const inbox = inboxes[region]?.[instance];
          const [news] = inbox?.splice(which % Math.max(1, inbox.length), 1) ?? [];
          if (!news) return;
          await regions[region]?.appliers[instance]?.apply(news.change, news.origin);
          if (again) inbox?.push(news);
        };
        for (const one of steps) {
          if (!("write" in one)) {
            await hear(one.region, one.instance, one.which, one.again);
            continue;
          }
          const origin = regions[one.region] as Region;
          const news = { change: await origin.write(one.write), origin: origin.name };
          changes.push(news);
          for (const [region, instances] of inboxes.entries()) {
            for (const [instance, inbox] of instances.entries()) {
              if (region !== one.region || instance !== 0) inbox.push(news);
            }
          }
        }
        for (const [region, instances] of inboxes.entries()) {
          for (const [instance, inbox] of instances.entries()) {
            for (let which = 0; inbox.length > 0; which += 7) await hear(region, instance, which, false);
          }
        }
        const held = await Promise.all(regions.map(({ cache }) => cache.getMany<number>(keys)));
        const model = keys.map((key) => expected(changes, key));
        expect(held).toEqual([model, model, model]);
      },
    ),
    runs(400),
  );
});
