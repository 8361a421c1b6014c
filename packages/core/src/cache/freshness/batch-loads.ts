import { ConfigError } from "../../errors/config-error.ts";
import { quoted } from "../../errors/quoted.ts";
import { callListener } from "../../ports/call-listener.ts";
import type { ManyLoader } from "../get-or-set.ts";
import type { RunningLoad } from "../load-cycle.ts";
import { loadWithin } from "../load-times.ts";
import { type Decision, decide } from "./decide.ts";
import type { FreshCalls, FreshParts, Usable } from "./fresh-calls.ts";
import { type FreshPlan, readFreshPlan } from "./fresh-plan.ts";
import type { LoadTags } from "./load-tags.ts";
import type { Bring, LoadedKey } from "./storing.ts";

/** One call of a loader for several keys. */
interface BatchLoad {
  /** Brings the value of one of its keys. */
  bringOf(key: string): Bring;
  /** Calls the loader for all keys whose loads have begun. */
  call(): void;
}

/** A key of a call, and what becomes of it. */
interface Place {
  readonly what: LoadedKey;
  readonly found: Usable | undefined;
  readonly decision: Decision;
}

/**
 * Reads several values in one round trip, loads those that are missing by one call of the loader, and stores them in
 * one round trip. Keys that another call of this process is loading are left to that call.
 */
export function createBatchLoads(fresh: FreshParts): FreshCalls["getOrSetMany"] {
  const { lookups, runOf, loadsOf, usable, ownValue, report, awaitLoad, within, longestRunMs, now: parts } = fresh;

  /** Starts the loads of these places, as far as none runs, with one call of the loader. */
  const loadTogether = (places: readonly Place[], plan: FreshPlan, loader: ManyLoader): void => {
    const batch = createBatchLoad(plan, loader, parts.stats.counts);
    let reported: unknown;
    /** One failure of the loader is one event. */
    const reportOnce = (key: string, error: unknown): void => {
      if (reported !== error) report("getOrSetMany", key, error);
      reported = error;
    };
    const behind: Promise<void>[] = [];
    for (const { what, found, decision } of places) {
      const how = { isCold: decision === "load", longestRunMs: longestRunMs(plan) };
      const begun = loadsOf(plan).begin(what.fullKey, runOf(what, batch.bringOf(what.key)), how);
      const ended = begun?.then(
        () => {},
        // Without a value at hand the caller gets the error.
        (error: unknown) => found && decision !== "load" && reportOnce(what.key, error),
      ) as Promise<void> | undefined;
      if (ended && decision !== "load") behind.push(ended);
    }
    batch.call();
    if (behind.length > 0) callListener(() => plan.waitUntil?.(Promise.all(behind)));
  };

  return async (keys, loader, options) => {
    const plan = readFreshPlan("cache.getOrSetMany", options, parts.requests.ttlMsOf);
    if (plan.isGlobal) {
      throw new ConfigError("singleFlight", 'getOrSetMany loads once per process: leave out `singleFlight: "global"`');
    }
    const unique = [...new Set(keys)].map((key) => {
      const schema = plan.schema ?? parts.tagging.schemaOf(key);
      return { key, request: lookups.requestOf(key), plan: { ...plan, schema } };
    });
    const makings = unique.map(({ key, request }) => fresh.tagsOf({ key, fullKey: request.fullKey, plan }));
    const areLoaded = !makings.some((making) => making instanceof Promise);
    const allTags = areLoaded ? (makings as (LoadTags | undefined)[]) : await Promise.all(makings);
    const tagsByKey = new Map(unique.map(({ key }, at) => [key, allTags[at]]));
    return within(plan, async (waiting) => {
      // Where no value was found a moment ago there is none to serve meanwhile.
      const read = unique.filter(({ request }) => !loadsOf(plan).isCold(request.fullKey));
      const requests = read.map(({ request }) => request);
      const [first] = read;
      const replies = first ? await lookups.many(requests, first.key, plan) : [];
      const values = await Promise.all(
        read.map(async ({ key, request, plan: own }, index) => {
          const what = { key, fullKey: request.fullKey, plan: own };
          return usable(key, await fresh.verified(what, tagsByKey.get(key), replies[index]), own);
        }),
      );
      const foundOf = new Map(read.map(({ key }, index) => [key, values[index]]));
      const readMs = performance.now() - waiting.beganMs;
      const decided = unique.map(({ key, request, plan: own }, at) => {
        const found = foundOf.get(key);
        const decision = found ? decide(found.header, own, Date.now(), Math.random()) : "load";
        return { key, fullKey: request.fullKey, plan: own, tags: allTags[at], found, decision };
      });
      // All loads call their loader together, so the markers of all are noted before.
      const noting = decided.map(({ tags, decision }) => (decision === "serve" ? undefined : tags?.begin()));
      const begun = noting.some((each) => each !== undefined) ? await Promise.all(noting) : [];
      const places = decided.map(({ found, decision, ...what }, at): Place => {
        return { what: { ...what, readMs, begun: what.tags && { load: begun[at] } }, found, decision };
      });
      loadTogether(
        places.filter(({ decision }) => decision === "refresh"),
        plan,
        loader,
      );
      loadTogether(
        places.filter(({ decision }) => decision === "load" || decision === "stand-in"),
        plan,
        loader,
      );

      /** @param isFirst - The other places of a key that the caller names twice get copies. */
      const resultOf = async ({ what, found, decision }: Place, isFirst: boolean): Promise<unknown> => {
        if (found && (decision === "serve" || decision === "refresh")) {
          return isFirst ? found.value : ownValue(found.copies, what.plan);
        }
        // Another call's load may vanish with its request: then this key is loaded alone.
        const alone = createBatchLoad(plan, loader, parts.stats.counts);
        const run = runOf(what, (load) => {
          const value = alone.bringOf(what.key)(load);
          alone.call();
          return value;
        });
        return awaitLoad(what, run, waiting, decision === "stand-in" ? found : undefined);
      };
      const placeOf = new Map(places.map((place) => [place.what.key, place]));
      const seen = new Set<string>();
      const isFirst = (key: string): boolean => !seen.has(key) && seen.add(key) !== undefined;
      return Promise.all(keys.map((key) => resultOf(placeOf.get(key) as Place, isFirst(key))));
    });
  };
}

function createBatchLoad(plan: FreshPlan, loader: ManyLoader, counts: { loads: number }): BatchLoad {
  const members: { readonly key: string; readonly load: RunningLoad }[] = [];
  const { promise, settle } = deferred();
  return {
    bringOf: (key) => async (load) => {
      members.push({ key, load });
      return valueIn(await promise, key);
    },
    call() {
      const [first, ...others] = members;
      if (!first) return;
      // The others wait for the loader that runs for the first.
      for (const { load } of others) load.awaits.add(first.load);
      counts.loads++;
      const missing = members.map(({ key }) => key);
      settle(loadWithin(plan.loaderTimeoutMs, first.load, (signal) => loader(missing, { signal })));
    },
  };
}

function deferred(): { readonly promise: Promise<unknown>; settle(outcome: Promise<unknown>): void } {
  let settle: (outcome: Promise<unknown>) => void = () => {};
  const promise = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

/** @throws TypeError when the loader has brought neither a Map nor a record. */
function valueIn(brought: unknown, key: string): unknown {
  // A Map of another realm is no instance of this one's.
  if (Object.prototype.toString.call(brought) === "[object Map]") return (brought as Map<string, unknown>).get(key);
  if (typeof brought !== "object" || brought === null || Array.isArray(brought)) {
    // Its kind alone: what a loader brings may be a secret.
    const kind = typeof brought === "string" ? "a text" : typeof brought === "number" ? "a number" : quoted(brought);
    throw new TypeError(
      `Expected the loader of getOrSetMany to bring a Map or a record of values by their keys, got ${kind}`,
    );
  }
  return Object.hasOwn(brought, key) ? (brought as Record<string, unknown>)[key] : undefined;
}
