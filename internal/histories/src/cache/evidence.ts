import { compileGlob } from "@continuum-cache/core/kit";
import { type Call, type ClientLog, type Effect, type History, observer } from "./history.ts";

/**
 * What a history proves about single keys. Its times are bounds, always on the side of the accused: an effect may have
 * come sooner than `lastUs`, never later.
 */
export interface Evidence {
  readonly history: History;
  /** All calls, the observer's included. */
  readonly calls: readonly Call[];
  readonly keys: readonly string[];
  /** Each value's write; values are unique. */
  writeOf(value: string): Write | undefined;
  /** Everything that may have changed a string key, deletes by pattern included; the latest first. */
  changesOf(key: string): readonly (Write | Deletion)[];
  readonly reads: readonly Read[];
  footing(call: Call): Footing;
  /** The latest moment at which the primary may have come to know of what a call changed. */
  lastUs(call: Call): number;
  /** Whether one thing was over before the other began; things of one call happen in the order of their names. */
  precedes(first: Place, second: Place): boolean;
  /** Whether the server may have forgotten something that it had confirmed, between the two times. */
  mayHaveForgotten(fromUs: number, toUs: number): boolean;
  /** The server may have forgotten something at any time: then its sums say nothing. */
  readonly isForgetful: boolean;
}

/**
 * On what ground a call was answered. `primary` and `local`: by that backend and no other; `unsure`: the backend
 * changed while it was under way, or it was rejected, so it may have had its effect on either, on both or not at all.
 */
export type Footing = "primary" | "local" | "unsure";

/** One effect of one call. */
export interface Place {
  readonly call: Call;
  /** Its position among the call's effects. */
  readonly at: number;
}

export interface Write extends Place {
  readonly kind: "write";
  readonly key: string;
  readonly value: string;
  /** When the value came to be: a loader's start for what was loaded, else the call's. */
  readonly bornUs: number;
  readonly isLoad: boolean;
}

export interface Deletion extends Place {
  readonly kind: "delete";
  readonly key: string;
}

export interface Read extends Place {
  readonly key: string;
  readonly value: string | null;
}

export function gatherEvidence(history: History): Evidence {
  const calls = [...history.clients.flatMap((client) => client.calls), ...history.finals];
  const places = calls.flatMap((call) => call.effects.map((effect, at) => ({ call, at, effect })));
  const keys = [...new Set(places.flatMap(({ effect }) => ("key" in effect ? [effect.key] : [])))];
  const writes = new Map<string, Write>();
  const changes = new Map<string, (Write | Deletion)[]>(keys.map((key) => [key, []]));
  const reads: Read[] = [];

  for (const { call, at, effect } of places) {
    for (const change of changesBy({ call, at }, effect, keys)) {
      changes.get(change.key)?.push(change);
      if (change.kind === "write") writes.set(change.value, change);
    }
    if (effect.kind === "read") reads.push({ call, at, key: effect.key, value: effect.value });
  }
  for (const list of changes.values()) list.sort((left, right) => bornUs(right) - bornUs(left));
  const lastByCall = new Map<Call, number>();
  const clientOf = new Map(history.clients.map((log) => [log.client, log]));

  const lastOf = (call: Call): number => {
    if (call.outcome !== "ok") return Number.POSITIVE_INFINITY;
    if (footingOf(call) === "primary") return call.endUs;
    return confirmedUs(clientOf.get(call.client), call.endUs);
  };
  const mayHaveForgotten = (fromUs: number, toUs: number): boolean =>
    !history.variant.durable &&
    history.nemesis.some(({ fault, startUs, endUs }) => fault === "kill" && startUs <= toUs && endUs >= fromUs);
  return {
    history,
    calls,
    keys,
    writeOf: (value) => writes.get(value),
    changesOf: (key) => changes.get(key) ?? [],
    reads,
    footing: footingOf,
    lastUs(call) {
      const known = lastByCall.get(call) ?? lastOf(call);
      lastByCall.set(call, known);
      return known;
    },
    precedes: (first, second) =>
      first.call === second.call ? first.at < second.at : first.call.endUs < second.call.startUs,
    mayHaveForgotten,
    isForgetful: mayHaveForgotten(0, Number.POSITIVE_INFINITY),
  };
}

function footingOf(call: Call): Footing {
  if (call.outcome !== "ok") return "unsure";
  if (call.insists || call.client === observer) return "primary";
  const [start, end] = call.backends;
  if (call.wavered || start !== end) return "unsure";
  return start === "upstash" ? "primary" : "local";
}

/** When a change began. */
export const bornUs = (change: Write | Deletion): number =>
  change.kind === "write" ? change.bornUs : change.call.startUs;

function changesBy(place: Place, effect: Effect, keys: readonly string[]): (Write | Deletion)[] {
  switch (effect.kind) {
    case "write":
      return [{ ...place, ...effect, bornUs: place.call.startUs, isLoad: false }];
    case "load":
      return [{ ...place, kind: "write", key: effect.key, value: effect.value, bornUs: effect.startUs, isLoad: true }];
    case "delete":
      return [{ ...place, ...effect }];
    case "invalidate":
      return keys.filter(compileGlob(effect.glob)).map((key) => ({ ...place, kind: "delete", key }));
    default:
      return [];
  }
}

/** When the primary knew of everything that the client had done by then: its `pending` is 0, or next becomes 0. */
function confirmedUs(log: ClientLog | undefined, fromUs: number): number {
  const statuses = log?.statuses ?? [];
  const inForce = statuses.findLast(({ atUs }) => atUs <= fromUs);
  if (inForce?.pending === 0) return fromUs;
  return statuses.find(({ atUs, pending }) => atUs > fromUs && pending === 0)?.atUs ?? Number.POSITIVE_INFINITY;
}
