import { isConfigError } from "../../errors/config-error.ts";
import { toError } from "../../errors/to-error.ts";
import { createLru } from "../../keys/lru.ts";
import { callListener } from "../../ports/call-listener.ts";
import { settlesWithin } from "../../time/settles-within.ts";
import { withDeadline } from "../../time/with-deadline.ts";
import type { GetOrSetOptions, GetOrSetParts, Loader, ManyLoader, Tolerate } from "../get-or-set.ts";
import { shortestLeaseMs } from "../load-lease.ts";
import { graceMs, loadWithin } from "../load-times.ts";
import type { JoinWait, Loads, Run } from "../loads.ts";
import { heldNear, nearFor } from "../near-use.ts";
import type { Copies } from "../values.ts";
import { createBatchLoads } from "./batch-loads.ts";
import { decide } from "./decide.ts";
import { fit } from "./fitting.ts";
import { type FreshPlan, readFreshPlan } from "./fresh-plan.ts";
import { createLoadTags, type LoadTags, needsTags } from "./load-tags.ts";
import { createLookups, type Found, type Lookups } from "./lookups.ts";
import { type Bring, createRuns, type LoadedKey, type MakeRun } from "./storing.ts";

/** Calls that serve values which are no longer fresh, and those that load several values at once. */
export interface FreshCalls {
  getOrSet(key: string, loader: Loader, options: GetOrSetOptions): Promise<unknown>;
  getOrSetMany(keys: readonly string[], loader: ManyLoader, options: GetOrSetOptions): Promise<unknown[]>;
}

/** A found value that may be served: it fits the schema of the call. */
export interface Usable extends Found {
  /** What the schema makes of it; an object of this call's own. */
  readonly value: unknown;
}

/** What both kinds of calls are made of. */
export interface FreshParts {
  readonly lookups: Lookups;
  readonly runOf: MakeRun;
  readonly loadsOf: (plan: FreshPlan) => Loads;
  readonly now: GetOrSetParts;
  /** The tags of a key, where it may have any: at once, where their code is loaded. */
  tagsOf(what: PlannedKey): LoadTags | Promise<LoadTags> | undefined;
  /** What may be served of a found value by its tags. */
  verified(what: PlannedKey, tags: LoadTags | undefined, found: Found | undefined): Promise<Found | undefined>;
  /** What may be served of a found value: nothing where it does not fit the schema. */
  usable(key: string, found: Found | undefined, plan: FreshPlan): Promise<Usable | undefined>;
  /** A copy of what was loaded. @throws CodecError when it does not fit the schema of this call. */
  ownValue(copies: Copies, plan: FreshPlan): Promise<unknown>;
  /** Tells of a failed load whose callers are served all the same. */
  report(operation: string, key: string | undefined, error: unknown): void;
  /** Waits for the key's load, or starts it. Serves the value at hand where it fails or takes too long. */
  awaitLoad(what: LoadedKey, run: Run, waiting: Waiting, standIn: Usable | undefined): Promise<unknown>;
  /** Runs work within the deadline of a call. */
  within<Result>(plan: FreshPlan, work: (waiting: Waiting) => Promise<Result>): Promise<Result>;
  longestRunMs(plan: FreshPlan): number;
}

/** A key of a call. */
export type PlannedKey = Pick<LoadedKey, "key" | "fullKey" | "plan">;

/** How long a call waits. */
export interface Waiting extends Pick<JoinWait, "timeoutMs" | "signal"> {
  /** When it was made, by `performance.now()`. */
  readonly beganMs: number;
}

/** Keys whose last try to load them anew is remembered. */
const rememberedTries = 10_000;
/** A call with a time of its own serves the value at hand before that is over. */
const shareOfOwnTime = 0.9;

export function createFreshCalls(parts: GetOrSetParts, tolerate: Tolerate): FreshCalls {
  const fresh = createFreshParts(parts, tolerate);
  const { lookups, runOf, loadsOf, tagsOf, verified, usable, report, awaitLoad, within, longestRunMs } = fresh;
  const { stats } = parts;
  const getOrSetMany = createBatchLoads(fresh);

  /** Starts a load that no caller has to wait for, unless one runs. @returns whether it did. */
  const loadBehind = (what: LoadedKey, run: Run): boolean => {
    const { key, fullKey, plan } = what;
    const begun = loadsOf(plan).begin(fullKey, run, { isCold: false, longestRunMs: longestRunMs(plan) });
    if (!begun) return false;
    const ended = begun.then(
      () => {},
      (error: unknown) => report("getOrSet", key, error),
    );
    callListener(() => plan.waitUntil?.(ended));
    return true;
  };

  /** Until when this process does not try again to load a key anew: another process has the lease, or it has. */
  const triedUntilMs = createLru<number>({ maxEntries: rememberedTries, maxBytes: Number.POSITIVE_INFINITY });

  /** The same over all processes: the one that gets the lease loads. */
  const refreshBehind = (what: LoadedKey, found: Usable, bring: Bring): void => {
    const { key, fullKey, plan } = what;
    const nowMs = performance.now();
    if ((triedUntilMs.get(fullKey) ?? 0) > nowMs) return;
    triedUntilMs.set(fullKey, nowMs + shortestLeaseMs, 1);
    const begin = async (): Promise<void> => {
      const lease = await (await parts.across()).flights.refresh(fullKey, found.stored, plan.reading);
      if (lease && !loadBehind(what, runOf({ ...what, lease }, bring))) await lease.release();
    };
    const begun = begin().catch((error: unknown) => report("getOrSet", key, error));
    callListener(() => plan.waitUntil?.(begun));
  };

  return {
    async getOrSet(key, loader, options) {
      const asked = readFreshPlan("cache.getOrSet", options, parts.requests.ttlMsOf);
      const plan = { ...asked, schema: asked.schema ?? parts.tagging.schemaOf(key) };
      return within(plan, async (waiting) => {
        // A schema is asked of what the server has.
        const held = parts.near && !plan.schema ? await heldNear(parts.near, key, options, plan.reading) : undefined;
        if (held !== undefined) return held;
        const request = lookups.requestOf(key, nearFor(parts.near, options)?.begin(key));
        const { fullKey } = request;
        const making = tagsOf({ key, fullKey, plan });
        const tags = making instanceof Promise ? await making : making;
        // Where no value was found a moment ago there is none to serve meanwhile.
        const isCold = loadsOf(plan).isCold(fullKey);
        const read = isCold ? undefined : await lookups.one(request, key, plan, waiting);
        const found = await usable(key, await verified({ key, fullKey, plan }, tags, read), plan);
        const decision = found ? decide(found.header, plan, Date.now(), Math.random()) : "load";
        if (found && decision === "serve") return found.value;
        const readMs = performance.now() - waiting.beganMs;
        // Where a value is at hand, there is no room for a placeholder.
        const flightMs = plan.isGlobal && !found ? Math.max(1, waiting.timeoutMs - readMs) : undefined;
        const what = { key, fullKey, plan, tags, readMs, flightMs, unusable: read?.stored };
        const bring: Bring = (load) => {
          stats.counts.loads++;
          return loadWithin(plan.loaderTimeoutMs, load, (signal) => loader({ signal, stale: found?.copies(), key }));
        };
        const run = runOf(what, bring);
        if (found && decision === "refresh") {
          if (plan.isGlobal) refreshBehind(what, found, bring);
          else loadBehind(what, run);
          return found.value;
        }
        if (found && decision !== "load") loadBehind(what, run);
        return awaitLoad(what, run, waiting, decision === "stand-in" ? found : undefined);
      });
    },
    getOrSetMany,
  };
}

function createFreshParts(parts: GetOrSetParts, tolerate: Tolerate): FreshParts {
  const { events, stats, timeoutMs } = parts;
  const loadsOf = (plan: FreshPlan): Loads => parts.loadsOf(!plan.insists);
  const longestRunMs = (plan: FreshPlan): number => {
    const { thirdMs = timeoutMs, loaderTimeoutMs, ownTimeoutMs = timeoutMs + loaderTimeoutMs, tags, isGlobal } = plan;
    // Tags are noted before the loader, in up to two round trips, and looked at once more behind it.
    const trips = tags !== undefined || parts.tagging.isOn ? 6 : 2;
    const ownMs = trips * thirdMs + loaderTimeoutMs + graceMs;
    // A load may first wait for another process.
    return isGlobal ? ownMs + ownTimeoutMs : ownMs;
  };
  /** Found values of which an event has said that they do not fit. */
  const misfits = new WeakSet<Found>();

  const report: FreshParts["report"] = (operation, key, error) => {
    stats.counts.errors++;
    events.emit("error", { operation, ...(key !== undefined && { key }), error: toError(error) });
  };

  const ownValue: FreshParts["ownValue"] = async (copies, { schema, thirdMs = timeoutMs }) => {
    const value = copies();
    if (!schema || value === undefined) return value;
    const fitting = await fit(schema, value, "The loaded value", thirdMs);
    if (!fitting.fits) throw fitting.error;
    return fitting.value;
  };

  const loadTagsOf = (what: PlannedKey): LoadTags | Promise<LoadTags> => {
    const { calls } = parts.tagging;
    if (calls) return createLoadTags(calls, parts, tolerate, what);
    return parts.tagging.load().then((loaded) => createLoadTags(loaded, parts, tolerate, what));
  };

  return {
    tagsOf: (what) => (needsTags(parts, what.key, what.plan) ? loadTagsOf(what) : undefined),
    async verified(what, tags, found) {
      const needsCheck = found?.header.markers !== undefined || parts.namespaces.length > 0;
      return needsCheck ? (tags ?? (await loadTagsOf(what))).verified(found) : found;
    },
    now: parts,
    lookups: createLookups(parts, tolerate),
    runOf: createRuns(parts, tolerate),
    loadsOf,
    longestRunMs,
    report,
    ownValue,
    async usable(key, found, { schema, thirdMs = timeoutMs }) {
      if (!found) return undefined;
      const value = found.copies();
      if (!schema) return { ...found, value };
      const fitting = await fit(schema, value, "The stored value", thirdMs);
      if (fitting.fits) return { ...found, value: fitting.value };
      if (!misfits.has(found)) report("getOrSet", key, fitting.error);
      misfits.add(found);
      return undefined;
    },
    async awaitLoad({ fullKey, plan, tags }, run, { beganMs, ...wait }, standIn) {
      const join = (timeoutMs: number) =>
        loadsOf(plan).join(fullKey, run, { ...wait, timeoutMs, longestRunMs: longestRunMs(plan) });
      const joinAnew = async (begun: Promise<unknown>, by: LoadTags): Promise<unknown> => {
        let copies = (await begun) as Copies;
        // A load that began before this call came may have been overtaken by an invalidation.
        while (!(await by.mayTake(copies, beganMs))) {
          copies = (await join(beganMs + wait.timeoutMs - performance.now())) as Copies;
        }
        return copies;
      };
      const joined = join(wait.timeoutMs);
      const loading = tags ? joinAnew(joined, tags) : joined;
      loading.catch(() => {});
      if (!standIn) return ownValue((await loading) as Copies, plan);
      const leftMs = beganMs + (plan.ownTimeoutMs ?? Number.POSITIVE_INFINITY) - performance.now();
      try {
        const inTime = await settlesWithin(Math.min(plan.softTimeoutMs, Math.max(1, leftMs * shareOfOwnTime)), loading);
        if (inTime) return await ownValue((await loading) as Copies, plan);
      } catch (error) {
        // A wrong option is no failure of the loader.
        if (isConfigError(error)) throw error;
      }
      return standIn.value;
    },
    within(plan, work) {
      const { ownTimeoutMs, signal } = plan;
      const wholeMs = ownTimeoutMs ?? timeoutMs + plan.loaderTimeoutMs;
      const beganMs = performance.now();
      const begin = (ending?: AbortSignal) => work({ timeoutMs: wholeMs, signal: ending, beganMs });
      if (ownTimeoutMs === undefined && !signal) return begin();
      return withDeadline("cache", { timeoutMs: wholeMs, ...(signal && { signal }) }, begin);
    },
  };
}
