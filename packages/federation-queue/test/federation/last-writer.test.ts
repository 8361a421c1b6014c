import { Cache } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Applier, createApplier } from "../../src/federation/applier.ts";
import type { CacheChange } from "../../src/federation/cache-change.ts";
import { createFederationClock } from "../../src/federation/federation-clock.ts";
import { putAll } from "../../src/federation/observer.ts";
import { createPatternMarks } from "../../src/federation/pattern-marks.ts";
import { readFederationSettings } from "../../src/federation/settings.ts";
import { isLater, type Stamped, stampsPerMs, tieOf } from "../../src/federation/stamp.ts";
import { SyncLog } from "../../src/log/sync-log.ts";
import { closing } from "../log/logs.ts";

// Whatever regions write, and in whatever order and however often they hear of it: in the end all hold what the latest write
// of each key has left, by the stamps alone.

const opened = closing();
const keys = ["memory:a:1", "memory:a:2", "memory:b:1"];
const globs = ["memory:a:*", "memory:*", "memory:?:1"];

interface Region {
  readonly name: string;
  readonly cache: Cache;
  /** Instances of the region, each with a memory of its own. */
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
  const { values, link } = settings;
  if (!values) throw new Error("Expected values");
  const make = () => {
    const clock = createFederationClock(link, values.marksKey, values.keepMs);
    if (aheadMs > 0) clock.see((Date.now() + aheadMs) * stampsPerMs);
    const marks = createPatternMarks(link, values.marksKey, values.keepMs, ["memory:*"]);
    return { clock, marks, applier: createApplier(settings, clock, marks) };
  };
  const [one, other] = [make(), make()];
  return {
    name,
    cache,
    appliers: [one.applier, other.applier],
    async write(write) {
      if (write.do === "invalidate") {
        const glob = globs[write.glob] ?? "";
        const change: CacheChange = { type: "fed.invalidate", globs: [glob], at: await one.clock.now() };
        one.marks.add(glob, { at: change.at ?? 0, tie: values.tie });
        await cache.deletePattern(glob);
        await one.applier.apply(change, name);
        return change;
      }
      const key = keys[write.key] ?? "";
      const put =
        write.do === "set"
          ? { kind: "set" as const, value: String(write.value), ttlMs: 3_600_000 }
          : { kind: "delete" as const };
      const [change] = await putAll(settings, values, one.clock, [{ key, ...put }]);
      return change as CacheChange;
    },
  };
}

/** What the latest of all changes has left of a key. */
function expected(changes: readonly { change: CacheChange; origin: string }[], key: string): number | undefined {
  let latest: Stamped = { at: 0, tie: 0 };
  let value: number | undefined;
  for (const { change, origin } of changes) {
    const at = change.type === "fed.delete" ? change.at?.[0] : change.at;
    const stamped = { at: at ?? 0, tie: tieOf(origin) };
    const concerns =
      change.type === "fed.invalidate"
        ? (change.globs ?? []).some((glob) => new RegExp(`^${glob.replace("*", ".*").replace("?", ".")}$`).test(key))
        : change.type === "fed.set"
          ? change.key === key
          : change.keys.includes(key);
    if (!concerns || !isLater(stamped, latest)) continue;
    latest = stamped;
    value = change.type === "fed.set" ? Number(change.value) : undefined;
  }
  return value;
}

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("set" as const), key: fc.nat({ max: 2 }), value: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("delete" as const), key: fc.nat({ max: 2 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("invalidate" as const), glob: fc.nat({ max: 2 }) }) },
);
/** A write somewhere, or news that arrives: which of those not heard of yet, where, and whether it comes once more later. */
const step = fc.oneof(
  fc.record({ region: fc.nat({ max: 2 }), write }),
  fc.record({ region: fc.nat({ max: 2 }), instance: fc.nat({ max: 1 }), which: fc.nat(), again: fc.boolean() }),
);

it("three regions come to the same, and to what the latest write says", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 4, maxLength: 40, size: "max" }),
      fc.constantFrom(0, 10, 60_000),
      async (steps, skewMs) => {
        const regions = ["east", "west", "south"].map((name, at) => openRegion(name, (at * skewMs) / 2));
        const changes: { change: CacheChange; origin: string }[] = [];
        /** Of each instance of each region what it has yet to hear. The writer itself hears nothing of its own. */
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
