import type { Recovery } from "@continuum-cache/core";
import {
  type Action,
  type Bystander,
  type Call,
  type Effect,
  type History,
  observer,
  type Status,
} from "../../src/cache/history.ts";

/** A history as a test tells it; times in milliseconds. */
export interface Told {
  readonly calls?: readonly ToldCall[];
  /** What a direct read finds at the end. */
  readonly finals?: readonly Effect[];
  /** When each client was local. What it kept is confirmed when it comes back. */
  readonly outages?: Readonly<Record<number, readonly (readonly [fromMs: number, toMs: number])[]>>;
  readonly nemesis?: readonly Action[];
  readonly durable?: boolean;
  readonly unsettled?: readonly number[];
  readonly schedule?: string;
  readonly bystanders?: readonly Bystander[];
  /** What each client's last report said, and how many mutations it had kept. */
  readonly reports?: Readonly<Record<number, { readonly recovery: Recovery; readonly kept: number }>>;
  /** For how long at a time the runner (-1) or a client was not given a processor. */
  readonly stallsMs?: Readonly<Record<number, number>>;
}

export type ToldCall = readonly [
  client: number,
  startMs: number,
  endMs: number,
  effects: Effect | readonly Effect[],
  more?: Partial<Call>,
];

const endMs = 1_000;

/** Makes a history of it, in which all that is not told is as it should be. */
export function tell({
  calls = [],
  finals = [],
  outages = {},
  nemesis = [],
  durable = true,
  unsettled = [],
  schedule = "outage",
  bystanders = [],
  reports = {},
  stallsMs = {},
}: Told): History {
  const clients = [...new Set([...calls.map(([client]) => client), ...Object.keys(outages).map(Number), ...unsettled])];
  const isLocal = (client: number, ms: number): boolean =>
    (outages[client] ?? []).some(([from, to]) => ms >= from && ms < to);
  const backendAt = (client: number, ms: number) => (isLocal(client, ms) ? ("local" as const) : ("upstash" as const));

  const made = calls.map(([client, start, end, effects, more], index): Call => {
    const backends = [backendAt(client, start), backendAt(client, end)] as const;
    return {
      client,
      index,
      operation: "call",
      effects: Array.isArray(effects) ? effects : [effects as Effect],
      startUs: start * 1_000,
      endUs: end * 1_000,
      outcome: "ok",
      insists: false,
      backends,
      wavered: backends[0] !== backends[1],
      pending: isLocal(client, end) ? 1 : 0,
      allowedMs: 100,
      stalledMs: 0,
      ...more,
    };
  });
  const final: Call = {
    ...call(observer, endMs, endMs + 10, finals),
    insists: true,
  };
  return {
    seed: 1,
    variant: { connection: "tcp", schedule, durable },
    bystanders,
    longestStallMs: stallsMs[-1] ?? 0,
    nemesis,
    finals: [final],
    clients: clients.map((client) => ({
      client,
      calls: made.filter((each) => each.client === client),
      settled: !unsettled.includes(client),
      longestStallMs: stallsMs[client] ?? 0,
      changes: (outages[client] ?? []).flatMap(([from, to]) => [
        { atUs: from * 1_000, from: "upstash", to: "local", reason: "timeout", kept: 0 } as const,
        {
          atUs: to * 1_000,
          from: "local",
          to: "upstash",
          reason: "back",
          ...(reports[client] ?? { kept: 0 }),
        } as const,
      ]),
      statuses: [
        { atUs: 0, backend: "upstash", pending: 0 } as Status,
        ...(outages[client] ?? []).flatMap(([from, to]): Status[] => [
          { atUs: from * 1_000, backend: "local", pending: 1 },
          { atUs: to * 1_000, backend: "upstash", pending: 0 },
        ]),
      ],
    })),
  };
}

function call(client: number, start: number, end: number, effects: readonly Effect[]): Call {
  return {
    client,
    index: 0,
    operation: "read",
    effects,
    startUs: start * 1_000,
    endUs: end * 1_000,
    outcome: "ok",
    insists: false,
    backends: ["upstash", "upstash"],
    wavered: false,
    pending: 0,
    allowedMs: 100,
    stalledMs: 0,
  };
}

export const wrote = (value: string, key = "k"): Effect => ({ kind: "write", key, value });
export const found = (value: string | null, key = "k"): Effect => ({ kind: "read", key, value });
export const deleted = (key = "k"): Effect => ({ kind: "delete", key });
export const invalidated = (glob: string): Effect => ({ kind: "invalidate", glob });
export const loaded = (value: string, startMs: number, stopMs: number, key = "k"): Effect => ({
  kind: "load",
  key,
  value,
  startUs: startMs * 1_000,
  endUs: stopMs * 1_000,
});
export const added = (by: number, key = "n"): Effect => ({ kind: "add", key, by });
export const counted = (value: number, key = "n"): Effect => ({ kind: "count", key, value });
export const pushed = (...values: string[]): Effect => ({ kind: "push", key: "l", values });
export const listed = (...values: string[]): Effect => ({ kind: "list", key: "l", values });
/** The caller was told this instead of an answer. */
export const failed = (error = "TransportError timeout", ranOut = false): Partial<Call> => ({
  outcome: { error, ranOut },
});
