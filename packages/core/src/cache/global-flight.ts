import { unwrap } from "../errors/command-error.ts";
import { isTransportError, TransportError } from "../errors/transport-error.ts";
import { createLru } from "../keys/lru.ts";
import { type SendCommands, writeIfEqual } from "../lease/write-if-equal.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { type Calls, raw } from "./calls.ts";
import { openEntry } from "./entry.ts";
import { createLoadLease, type LoadLease, leaseOf, placeholderOf } from "./load-lease.ts";

/**
 * One loader over all processes, by a lease that stands under the key itself: a placeholder, which every read treats as
 * a miss. `test/lease/lease-model.ts` shows that no rule of it can be left out.
 */
export interface GlobalFlight {
  /**
   * Gets the right to load a value that is not stored, or waits until another process has stored it. While the primary
   * is away each process has the right: a lease in its own memory would hold off no other one.
   *
   * @throws TransportError when the wait is over first.
   */
  begin(key: string, wait: FlightWait): Promise<Flight>;
  /**
   * Gets the right to replace a value that others are served meanwhile. Its lease stands beside the value, and what was
   * loaded is stored only where that value still stands.
   *
   * @returns undefined when another process has the right.
   * @throws TransportError when no answer came.
   */
  refresh(key: string, stored: string | Uint8Array, sending: SendOptions): Promise<LoadLease | undefined>;
  /**
   * Puts a count in the place of a placeholder, as if nothing stood there; the load of the value stores nothing then.
   *
   * @returns undefined when no placeholder stands there.
   */
  increment(key: string, by: number, sending: SendOptions): Promise<number | undefined>;
}

/** How to wait. */
export interface FlightWait {
  /** What stands under the key and may not be served, such as a value with an invalidated tag: it makes room. */
  readonly unusable?: string | Uint8Array | undefined;
  /** How long to wait for another process, in milliseconds. */
  readonly timeoutMs: number;
  /** For each command. With `fallback: false` the call rejects where the primary gives no answer. */
  readonly sending: SendOptions;
}

/** What another process has stored, or the right to load. */
export type Flight =
  | { readonly kind: "found"; readonly stored: string | Uint8Array }
  | { readonly kind: "won"; readonly lease: LoadLease };

/** What stands under the key: nothing, a value, or the placeholder of another process. */
type Found = { readonly kind: "nothing" } | { readonly kind: "value"; readonly stored: string | Uint8Array } | Held;

interface Held {
  readonly kind: "placeholder";
  readonly stored: string;
  readonly expectedMs: number;
}

/** Families of keys whose loads are measured. */
const measuredFamilies = 1_000;
/** Another process stores its value soon after its load has ended. */
const storingMs = 20;

/** @param transport - It says whether the memory of this process answers. @param calls - What sends. */
export function createGlobalFlight(transport: Transport, calls: Calls): GlobalFlight {
  /** How long loads take in milliseconds, by the text before the last part of the key. */
  const measured = createLru<number>({ maxEntries: measuredFamilies, maxBytes: Number.POSITIVE_INFINITY });

  const sendBy =
    (sending: SendOptions): SendCommands =>
    (commands) =>
      calls.one(() => [raw("getOrSet", commands), { ...sending, fallback: false }]);

  const estimateOf = (key: string) => {
    const family = key.slice(0, key.lastIndexOf(":") + 1);
    const expectedMs = measured.get(family) ?? 0;
    const onLoad = (loadMs: number) => measured.set(family, Math.ceil(((expectedMs || loadMs) + loadMs) / 2), 1);
    return { expectedMs, onLoad, own: placeholderOf(newToken(), expectedMs), leaseMs: leaseOf(expectedMs) };
  };
  const isLocal = (): boolean => transport.status?.currentBackend === "local";

  return {
    async refresh(key, stored, sending) {
      const send = sendBy(sending);
      const { leaseMs, ...estimate } = estimateOf(key);
      const leaseKey = `${key}:loading`;
      if (!isLocal()) {
        const reply = await one(send, ["SET", leaseKey, estimate.own, "PX", leaseMs, "NX"]);
        if (reply !== "OK") return undefined;
      }
      return createLoadLease({ transport, send, key, leaseKey, replaces: stored, ...estimate });
    },
    async increment(key, by, sending) {
      const send = sendBy(sending);
      const found = foundIn(await one(send, ["GET", key]));
      if (found.kind !== "placeholder") return undefined;
      const isSet = await writeIfEqual(transport, send, { key, expected: found.stored, set: [by] });
      return isSet ? by : Number(await one(send, ["INCRBY", key, by]));
    },
    async begin(key, wait) {
      const { sending } = wait;
      const send = sendBy(sending);
      const { leaseMs, ...estimate } = estimateOf(key);
      const { own } = estimate;
      const won = (): Flight => {
        return { kind: "won", lease: createLoadLease({ transport, send, key, leaseKey: key, ...estimate }) };
      };
      if (isLocal()) return won();
      const attempt: Attempt = { ...wait, transport, send, key, own, leaseMs };
      try {
        const found = await compete(attempt);
        return found.kind === "value" ? { kind: "found", stored: found.stored } : won();
      } catch (error) {
        if (sending.fallback === false || !isTransportError(error) || error.transport === "flight") throw error;
        // The primary gave no answer. What is loaded is stored only if the lease was taken nevertheless.
        return won();
      }
    },
  };
}

const newToken = (): string => crypto.randomUUID().slice(0, 18);

interface Attempt extends FlightWait {
  readonly transport: Transport;
  readonly send: SendCommands;
  readonly key: string;
  /** The placeholder of this process. */
  readonly own: string;
  readonly leaseMs: number;
}

/** @returns a value, or nothing when the lease is this process's. */
async function compete(attempt: Attempt): Promise<Exclude<Found, Held>> {
  const lateMs = performance.now() + attempt.timeoutMs;
  let found = await claim(attempt);
  while (found.kind === "placeholder" && found.stored !== attempt.own) {
    found = await waitFor(found, attempt, lateMs);
    if (found.kind === "nothing") found = await claim({ ...attempt, unusable: undefined });
  }
  return found.kind === "placeholder" ? { kind: "nothing" } : found;
}

/** @returns nothing when there was nothing, and now stands this process's placeholder. */
async function claim({ transport, send, key, own, leaseMs, unusable }: Attempt): Promise<Found> {
  if (unusable !== undefined) {
    const isOurs = await writeIfEqual(transport, send, { key, expected: unusable, set: [own, "PX", leaseMs] });
    if (isOurs) return { kind: "nothing" };
  }
  return foundIn(await one(send, ["SET", key, own, "PX", leaseMs, "NX", "GET"]));
}

/**
 * Looks when the other process should have ended, and then at the end of each lease that it has taken. A placeholder
 * that is unchanged after a whole lease belongs to a process that has vanished: it is taken over, even where another
 * client has given it a longer life.
 */
async function waitFor(first: Held, attempt: Attempt, lateMs: number): Promise<Found> {
  const { transport, send, key, own, leaseMs } = attempt;
  let held = first;
  let sinceMs = performance.now();
  let isFirstLook = first.expectedMs > 0;
  for (;;) {
    const otherMs = leaseOf(held.expectedMs);
    const lookMs = sinceMs + storingMs + (isFirstLook ? held.expectedMs * 1.1 : otherMs);
    isFirstLook = false;
    await sleepUntil(Math.min(lookMs, lateMs));
    const found = foundIn(await one(send, ["GET", key]));
    if (found.kind !== "placeholder") return found;
    const nowMs = performance.now();
    if (nowMs >= lateMs) throw lateError(attempt.timeoutMs);
    if (found.stored === held.stored && nowMs - sinceMs < otherMs) continue;
    if (found.stored === held.stored) {
      const isOurs = await writeIfEqual(transport, send, { key, expected: held.stored, set: [own, "PX", leaseMs] });
      if (isOurs) return { kind: "placeholder", stored: own, expectedMs: 0 };
    }
    held = found;
    sinceMs = nowMs;
  }
}

const sleepUntil = (timeMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.ceil(timeMs - performance.now()))));

/** @throws CommandError when the server refuses the command. */
async function one(send: SendCommands, command: Command): Promise<Reply> {
  return unwrap((await send([command]))[0]);
}

/** A value that is no longer fresh is as good as any: the caller decides, and replaces it. */
function foundIn(reply: Reply): Found {
  if (reply === null || (typeof reply !== "string" && !(reply instanceof Uint8Array))) return { kind: "nothing" };
  const placeholder = openEntry(reply)?.header.placeholder;
  if (!placeholder || typeof reply !== "string") return { kind: "value", stored: reply };
  return { kind: "placeholder", stored: reply, expectedMs: placeholder.expectedMs };
}

const lateError = (timeoutMs: number): TransportError =>
  new TransportError(
    "timeout",
    `Another process was still loading this value after ${timeoutMs} ms (raise \`timeout\` or \`loaderTimeout\`)`,
    { transport: "flight", delivery: "none", queued: true },
  );
