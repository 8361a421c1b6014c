import { unwrap } from "../../errors/command-error.ts";
import { callListener } from "../../ports/call-listener.ts";
import type { Command } from "../../ports/transport.ts";
import type { BegunLoad } from "../../tags/marker-store.ts";
import { withHeader } from "../entry.ts";
import { plainEntry } from "../entry-start.ts";
import type { GetOrSetParts, Tolerate } from "../get-or-set.ts";
import type { RunningLoad } from "../load-cycle.ts";
import type { LoadLease } from "../load-lease.ts";
import { timeToStore } from "../load-times.ts";
import type { Run } from "../loads.ts";
import type { Request } from "../requests.ts";
import { expiryArguments } from "../time-to-live.ts";
import type { Copies, SentRead } from "../values.ts";
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
  /** The lease under which it is loaded. */
  readonly lease?: LoadLease;
  /** The tags of the key, where it may have any. */
  readonly tags: LoadTags | undefined;
  /** The markers of a load whose tags were noted before. @default the load notes them itself */
  readonly begun?: { readonly load: BegunLoad | undefined } | undefined;
}

/** Makes the run of a load: it brings the value and stores it, and all who wait get copies of it. */
export type MakeRun = (what: LoadedKey, bring: Bring) => Run;

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
      const fitting = await fit(plan.schema, value, "The loaded value");
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

  /** Loads under a lease over all processes, or waits for the process that has it. */
  const runInFlight = async (what: LoadedKey, bring: Bring, load: RunningLoad, outdated: () => boolean) => {
    const { key, fullKey, plan, tags, flightMs = 0 } = what;
    let read: SentRead | undefined;
    const isInvalid = async (stored: string | Uint8Array): Promise<boolean> => {
      if (!tags) return false;
      read = tags.reading(stored);
      return tags.isInvalid(stored, read);
    };
    const wait = { timeoutMs: flightMs, sending: plan.reading, isInvalid };
    const flight = await tolerate(key, true, async () => (await parts.across()).flights.begin(fullKey, wait));
    const sent = read ?? { fullKey, options: plan.reading, startedMs: performance.now(), texts: undefined };
    if (flight?.kind !== "found") return runLeased(what, bring, load, outdated, flight?.lease);
    const { stored } = flight;
    // Tags are verified first: then it is a promise.
    const shared = await tolerate(key, plan.insists, () => values.copiesOf("getOrSet", key, stored, sent));
    if (!shared) return runLeased(what, bring, load, outdated);
    // It holds at this moment: a call that came before need not ask again, and one that comes later compares its tags.
    return proven(shared, sent.startedMs, openEntry(stored)?.header.markers ?? []);
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
