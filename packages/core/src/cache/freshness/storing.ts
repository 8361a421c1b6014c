import { unwrap } from "../../errors/command-error.ts";
import { callListener } from "../../ports/call-listener.ts";
import type { Command } from "../../ports/transport.ts";
import type { BegunLoad } from "../../tags/marker-store.ts";
import { isFresh, openEntry, withHeader } from "../entry.ts";
import { plainEntry } from "../entry-start.ts";
import type { GetOrSetParts, Tolerate } from "../get-or-set.ts";
import type { RunningLoad } from "../load-cycle.ts";
import type { LoadLease } from "../load-lease.ts";
import { timeToStore } from "../load-times.ts";
import type { Run } from "../loads.ts";
import type { Request } from "../requests.ts";
import { expiryArguments } from "../time-to-live.ts";
import type { Copies } from "../values.ts";
import { lifeOf } from "./decide.ts";
import { fit } from "./fitting.ts";
import type { FreshPlan } from "./fresh-plan.ts";
import { type LoadTags, proven } from "./load-tags.ts";

/** Calls a loader. @throws what the loader does. */
export type Bring = (load: RunningLoad) => Promise<unknown>;

/** What a load is for. */
export interface LoadedKey {
  readonly key: string;
  readonly fullKey: string;
  readonly plan: FreshPlan;
  /** How long its caller has waited for the read, in milliseconds. */
  readonly readMs: number;
  /** How long it may wait for a load of another process; absent where it does not ask for one. */
  readonly flightMs?: number | undefined;
  /** What was found under the key and may not be served. */
  readonly unusable?: string | Uint8Array | undefined;
  /** The lease under which it is loaded. */
  readonly lease?: LoadLease;
  /** The tags of the key, where it may have any. */
  readonly tags: LoadTags | undefined;
  /** The markers of a load whose tags were noted before. @default the load notes them itself */
  readonly begun?: { readonly load: BegunLoad | undefined } | undefined;
}

/** Makes the run of a load: it brings the value and stores it, and all who wait get copies of it. */
export type MakeRun = (what: LoadedKey, bring: Bring) => Run;

/** So often a call waits for values of other processes that turn out to be unusable, then it loads by itself. */
const longestFlight = 4;

export function createRuns(parts: GetOrSetParts, tolerate: Tolerate): MakeRun {
  const { calls, values, timeoutMs } = parts;

  const runAlone = async (
    what: LoadedKey,
    bring: Bring,
    load: RunningLoad,
    outdated: () => boolean,
    lease?: LoadLease,
  ) => {
    const { key, plan, tags } = what;
    // Before the loader: what is invalidated from here on invalidates its value.
    const begun = what.begun ? what.begun.load : tags && (await tags.begin());
    const beganMs = performance.now();
    const value = await bring(load);
    const loadMs = Math.round(performance.now() - beganMs);
    if (value === undefined) return proven(() => undefined, beganMs);
    if (plan.schema) {
      const fitting = await fit(plan.schema, value, "The loaded value", plan.thirdMs ?? timeoutMs);
      if (!fitting.fits) throw fitting.error;
    }
    const isKept = plan.isKept(value);
    const ttlMs = isKept ? plan.ttlMsOf(key, value) : undefined;
    const body = await tolerate(key, plan.insists, () => values.toBody(value));
    if (body === undefined) return proven(() => value, beganMs);
    const copies: Copies = values.copiesOfBody("getOrSet", key, body) ?? (() => undefined);
    proven(copies, beganMs);
    if (!isKept || !values.fits(key, body)) return copies;
    const { freshMs = 0, keptMs, needsHeader } = lifeOf(ttlMs, plan, Math.random());
    const filled = tags && (await tags.fill(begun, value, keptMs));
    // It can't be told whether a tag was invalidated meanwhile.
    if (tags && !filled) return copies;
    // Nothing may come between this question and the write: what this process deletes from here on comes behind it.
    if (outdated()) return copies;
    const markers = filled?.markers ?? [];
    const header = {
      ...(needsHeader && { freshUntilMs: Date.now() + freshMs, loadMs }),
      ...(markers.length > 0 && { markers }),
    };
    const stored = needsHeader || markers.length > 0 ? withHeader(header, body) : plainEntry(body);
    const command: Command = ["SET", what.fullKey, stored, ...expiryArguments(keptMs)];
    const commands = [...(filled?.commands ?? []), command];
    proven(copies, beganMs, markers);
    const storeMs = plan.thirdMs ?? timeToStore(timeoutMs, what.readMs);
    const store = () => calls.one(() => [setting(commands), { ...plan.reading, timeoutMs: storeMs }]);
    await tolerate(key, plan.insists, () => (lease ? lease.store(commands, store) : store()));
    return copies;
  };

  const runLeased: typeof runAlone = async (what, bring, load, outdated, lease) => {
    try {
      return await runAlone(what, bring, load, outdated, lease);
    } finally {
      // No caller waits for it: a lease that is not given back ends by itself.
      const released = lease?.release();
      if (released) callListener(() => what.plan.waitUntil?.(released));
    }
  };

  /** What another process has stored, if it may be served. */
  const sharedOf = async ({ key, fullKey, plan }: LoadedKey, stored: string | Uint8Array) => {
    const startedMs = performance.now();
    const sent = { fullKey, options: plan.reading, startedMs, texts: undefined };
    // Tags are verified first: then it is a promise.
    const copies = await values.copiesOf("getOrSet", key, stored, sent);
    if (!copies) return undefined;
    if (plan.schema && !(await fit(plan.schema, copies(), "The stored value", plan.thirdMs ?? timeoutMs)).fits)
      return undefined;
    // Whatever was invalidated before its tags were read has been found.
    return proven(copies, startedMs, openEntry(stored)?.header.markers);
  };

  /** Loads under a lease over all processes, or waits for the process that has it. */
  const runInFlight = async (what: LoadedKey, bring: Bring, load: RunningLoad, outdated: () => boolean) => {
    const { key, fullKey, plan, flightMs = 0 } = what;
    const lateMs = performance.now() + flightMs;
    let { unusable } = what;
    for (let tries = 0; tries < longestFlight; tries++) {
      const timeoutMs = Math.max(1, lateMs - performance.now());
      const wait = { timeoutMs, sending: plan.reading, unusable };
      const flight = await tolerate(key, true, async () => (await parts.across()).flights.begin(fullKey, wait));
      if (flight?.kind !== "found") return runLeased(what, bring, load, outdated, flight?.lease);
      const shared = await sharedOf(what, flight.stored);
      if (shared) return shared;
      const header = openEntry(flight.stored)?.header;
      // A stale value may still be served to others.
      if (header && !isFresh(header)) break;
      unusable = flight.stored;
    }
    return runLeased(what, bring, load, outdated);
  };

  const runOf: MakeRun = (what, bring) => (load, outdated) =>
    what.flightMs === undefined
      ? runLeased(what, bring, load, outdated, what.lease)
      : runInFlight(what, bring, load, outdated);
  return runOf;
}

const setting = (commands: readonly Command[]): Request<boolean> => ({
  operation: "set",
  commands,
  read: (replies, at) => unwrap(replies[at + commands.length - 1]) === "OK",
});
