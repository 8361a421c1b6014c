import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "@continuum-cache/conformance/servers";
import { type LogPosition, SyncLog } from "@continuum-cache/federation-queue";
import { type Address, connectTo } from "../site/address.ts";

interface Change {
  readonly key: string;
  readonly value: number;
  /** When the call began, by this machine's clock. */
  readonly sentMs: number;
}

/** One instance, which holds a state of its own: of each key the latest change of all instances, by the log's clock. */
export interface Instance {
  readonly id: string;
  /** How many events it has appended. */
  readonly appended: number;
  /** How many of each other origin it has been given. */
  readonly applied: ReadonlyMap<string, number>;
  /** Gaps that it was told. */
  readonly gaps: readonly string[];
  /** Makes so many changes at random, so far apart on average. */
  change(random: Random, changes: number, pauseMs: number): Promise<void>;
  /** The same text for the same state. */
  digest(): string;
  /** How long events took to come, since this was asked last, by origin. */
  takeDelays(): ReadonlyMap<string, number[]>;
  close(): Promise<void>;
}

const keys = 500;
/** Nothing happens to the database of its own region: this bound finds hangs only. */
const timeoutMs = 60_000;

export function openInstance(id: string, address: Address): Instance {
  const transport = connectTo(address, timeoutMs);
  const log = new SyncLog<Change>({ transport }, { instanceId: id, timeout: `${timeoutMs}ms` });
  const state = new Map<string, { readonly value: number; readonly at: LogPosition }>();
  const applied = new Map<string, number>();
  let delays = new Map<string, number[]>();
  const ending = new AbortController();
  const gaps: string[] = [];
  let appended = 0;

  const apply = ({ key, value }: Change, at: LogPosition): void => {
    const known = state.get(key);
    if (!known || isLater(at, known.at)) state.set(key, { value, at });
  };
  const follow = async (): Promise<void> => {
    const resync = ({ origin, missed }: { readonly origin: string; readonly missed: number }): void =>
      void gaps.push(`${id} was told that ${missed} events of ${origin} are missing`);
    for await (const entry of log.follow({ signal: ending.signal, resync })) {
      const { origin, seq, atMs, event } = entry;
      apply(event, { origin, seq, atMs });
      applied.set(origin, (applied.get(origin) ?? 0) + 1);
      const times = delays.get(origin) ?? [];
      times.push(Date.now() - event.sentMs);
      delays.set(origin, times);
      // Positions are stored now and then, without a wait.
      if (seq % 20 === 0) void entry.commit();
    }
  };
  const following = follow();
  following.catch(() => {});

  return {
    id,
    get appended() {
      return appended;
    },
    applied,
    gaps,
    async change(random, changes, pauseMs) {
      for (let made = 0; made < changes; made++) {
        const change = { key: `k${random.between(1, keys)}`, value: random.between(1, 1e9), sentMs: Date.now() };
        const stored = await log.append(change);
        if (stored.pending) throw new Error("Expected the region's own database to answer, and it did not");
        appended++;
        apply(change, stored);
        await sleep(random.next() * 2 * pauseMs);
      }
    },
    digest: () =>
      JSON.stringify(
        [...state]
          .map(([key, { value, at }]) => [key, value, at.atMs, at.origin, at.seq] as const)
          .sort(([one], [other]) => (one < other ? -1 : 1)),
      ),
    takeDelays() {
      const taken = delays;
      delays = new Map();
      return taken;
    },
    async close() {
      ending.abort();
      await log.close();
      await transport.close();
      await following;
    },
  };
}

/** One order for all: by the clock, then by the name. */
function isLater(one: LogPosition, other: LogPosition): boolean {
  if (one.atMs !== other.atMs) return one.atMs > other.atMs;
  return one.origin === other.origin ? one.seq > other.seq : one.origin > other.origin;
}
