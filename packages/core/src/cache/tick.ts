import { type Claim, createClaim } from "../claims/claim.ts";
import { createExpiringSet } from "../claims/expiring-set.ts";
import { isWrite, keysOf } from "../commands/command-table.ts";
import { type CommandError, isCommandError } from "../errors/command-error.ts";
import { errorFromRedis } from "../errors/error-from-redis.ts";
import { isTransportError, TransportError, type TransportErrorDetails } from "../errors/transport-error.ts";
import { TextMap } from "../keys/text-map.ts";
import type { Command, Reply, SendOptions, Transport } from "../ports/transport.ts";
import { longestTimerMs } from "../time/duration.ts";
import { afterThisTick } from "../time/next-tick.ts";
import { onAbort } from "../time/on-abort.ts";
import { withDeadline } from "../time/with-deadline.ts";

/** How the calls of one tick become one trip. */
export interface Tick {
  /** Sends commands, next to each other and in this order, with whatever else this tick sends. */
  send(commands: readonly Command[], options: SendOptions): Promise<Reply[]>;
  /** Reads one string, and resolves to one reply. All reads of a tick share one MGET, which Upstash bills once; equal keys are asked once. */
  read(key: string, options: SendOptions): Promise<Reply[]>;
  /** Resolves when everything that was sent so far has been answered. */
  settled(): Promise<void>;
}

/** Called with what was counted of each trip: how many commands went. */
type TripListener = (commands: number) => void;

/**
 * One MGET may carry this many keys. Upstash limits a command's answer to 10 MB, so it would refuse a larger MGET of
 * values of the greatest default size (100 KB) as a whole.
 */
const maxKeysPerRead = 100;

/** Trips depart with the tick that has opened them. What is open for longer may have lost its tick. */
const longTickMs = 10;

/** A trip that has not ended so long after its deadline has vanished. */
const graceMs = 200;

/** One caller's part of a trip. */
interface Part {
  readonly signal: AbortSignal | undefined;
  resolve(replies: Reply[]): void;
  reject(error: unknown): void;
}

/** Consecutive commands of one part, or the reads of many parts. */
type Leg =
  | { readonly kind: "commands"; readonly commands: readonly Command[]; readonly part: Part }
  | { readonly kind: "reads"; readonly keys: Map<string, Part[]> };

interface Trip {
  readonly atomic: boolean;
  readonly fallback: boolean;
  readonly timeoutMs: number;
  readonly openedMs: number;
  readonly invalidates: Set<string>;
  readonly legs: Leg[];
  /** The reads that a further read may join, and the keys written since then, which it may not be moved before. */
  reads: Map<string, Part[]> | undefined;
  readonly written: TextMap<true>;
}

/**
 * Collects the calls of one tick into one trip. The order of reads and writes of a key is kept: a read joins an earlier
 * MGET only if nothing wrote its key in between.
 *
 * @param timeoutMs - The deadline of calls that bring none.
 */
export function createTick(transport: Transport, timeoutMs: number, onTrip: TripListener): Tick {
  let trips: Trip[] = [];
  let mergeReads = true;
  let scheduledMs = 0;
  const inFlight = createExpiringSet<Claim>();

  /** Sees to it that the open trips depart, though the call that opened them may have vanished with its tick. */
  const schedule = (nowMs: number): void => {
    if (trips.length > 0 && nowMs - scheduledMs < longTickMs) return;
    const isLate = (trip: Trip): boolean => nowMs - trip.openedMs >= trip.timeoutMs;
    if (trips.some(isLate)) {
      for (const part of trips.filter(isLate).flatMap(({ legs }) => legs.flatMap(partsOf)))
        part.reject(lateError(transport));
      trips = trips.filter((trip) => !isLate(trip));
    }
    scheduledMs = nowMs;
    afterThisTick(depart);
  };

  const tripFor = (options: SendOptions): Trip => {
    const nowMs = performance.now();
    schedule(nowMs);
    const atomic = options.atomic ?? false;
    const fallback = options.fallback ?? true;
    const latest = trips.at(-1);
    const own = options.timeoutMs ?? timeoutMs;
    // A call with less time than the others travels alone: whatever answers has to know when the answer is due.
    const joins = latest && !atomic && !latest.atomic && latest.fallback === fallback && latest.timeoutMs === own;
    if (joins) return invalidating(latest, options);
    const trip: Trip = {
      atomic,
      fallback,
      timeoutMs: own,
      openedMs: nowMs,
      invalidates: new Set(),
      legs: [],
      reads: undefined,
      written: new TextMap(),
    };
    trips.push(trip);
    return invalidating(trip, options);
  };

  const depart = (): void => {
    const leaving = trips;
    trips = [];
    for (const trip of leaving) void travel(trip);
  };

  /** Never rejects: whatever happens is told to the parts. */
  const travel = async (trip: Trip): Promise<void> => {
    const legs = trip.legs.map(withoutAborted).filter((leg) => leg !== undefined);
    const commands = legs.flatMap((leg) => (leg.kind === "commands" ? leg.commands : [readCommand(leg.keys)]));
    if (commands.length === 0) return;
    onTrip(commands.length);
    const longestMs = trip.timeoutMs + graceMs;
    const claim = createClaim({ timeoutMs: longestMs, renewMs: Number.POSITIVE_INFINITY });
    inFlight.add(claim, longestMs);
    const whole = wholeTripSignal(legs);
    try {
      const replies = await transport.send(commands, {
        timeoutMs: trip.timeoutMs,
        ...(whole && { signal: whole.signal }),
        ...(trip.atomic && { atomic: true }),
        ...(!trip.fallback && { fallback: false }),
        ...(trip.invalidates.size > 0 && { invalidates: [...trip.invalidates] }),
      });
      let at = 0;
      const again: Trip[] = [];
      for (const leg of legs) {
        if (leg.kind === "commands") {
          settle(leg.part, replies.slice(at, at + leg.commands.length), { transport: transport.name });
          at += leg.commands.length;
        } else {
          const legsLeft = hand(leg.keys, replies[at++] as Reply);
          if (legsLeft) again.push({ ...trip, legs: legsLeft });
        }
      }
      await Promise.all(again.map(travel));
    } catch (error) {
      for (const part of legs.flatMap(partsOf)) part.reject(error);
    } finally {
      whole?.release();
      inFlight.delete(claim);
      claim.end();
    }
  };

  /** @returns the reads that have to be sent again, each by itself. */
  const hand = (keys: Map<string, Part[]>, reply: Reply): Leg[] | undefined => {
    if (isCommandError(reply) && reply.code === "CROSSSLOT" && keys.size > 1) {
      // A Redis Cluster: its keys live in different places, so from now on each is asked for by itself.
      mergeReads = false;
      return [...keys].map(([key, parts]): Leg => ({ kind: "reads", keys: new Map([[key, parts]]) }));
    }
    [...keys.values()].forEach((parts, index) => {
      const own = Array.isArray(reply) ? (reply[index] as Reply) : reply;
      for (const part of parts) settle(part, [own], { transport: transport.name, delivery: "none" });
    });
    return undefined;
  };

  return {
    send(commands, options) {
      const trip = tripFor(options);
      for (const command of commands) {
        if (!isWrite(command)) continue;
        const keys = keysOf(command);
        if (keys === "database") trip.reads = undefined;
        else for (const key of keys) trip.written.set(key, true);
      }
      return join(transport, options, (part) => trip.legs.push({ kind: "commands", commands, part }));
    },
    read(key, options) {
      const trip = tripFor(options);
      return join(transport, options, (part) => {
        const open = trip.reads;
        if (open && mergeReads && (open.has(key) || open.size < maxKeysPerRead) && !trip.written.has(key)) {
          const parts = open.get(key);
          if (parts) parts.push(part);
          else open.set(key, [part]);
          return;
        }
        trip.reads = new Map([[key, [part]]]);
        trip.written.clear();
        trip.legs.push({ kind: "reads", keys: trip.reads });
      });
    },
    async settled() {
      if (trips.length > 0) {
        afterThisTick(depart);
        await new Promise<void>((resolve) => afterThisTick(resolve));
      }
      for (const claim of [...inFlight]) await claim.over();
    },
  };
}

const lateError = ({ name }: Transport): TransportError =>
  new TransportError(
    "timeout",
    "The call's time was over before it could be sent (do less at once, or raise `timeout`)",
    {
      transport: name,
      delivery: "none",
      queued: true,
    },
  );

/** A command that was too large among others is told to its caller as it would be alone: a call's error tells nothing of its neighbors. */
function settle(part: Part, replies: Reply[], details: TransportErrorDetails): void {
  const [only] = replies;
  const elements = replies.length !== 1 ? [] : Array.isArray(only) ? only : [only];
  const refusal = elements.find((element) => isCommandError(element) && isTooLarge(element));
  if (!isCommandError(refusal)) part.resolve(replies);
  else part.reject(new TransportError("too-large", refusal.message, details));
}

const isTooLarge = ({ message }: CommandError): boolean => {
  const sorted = errorFromRedis(message, "");
  return isTransportError(sorted) && sorted.kind === "too-large";
};

function invalidating(trip: Trip, { invalidates = [] }: SendOptions): Trip {
  for (const glob of invalidates) trip.invalidates.add(glob);
  return trip;
}

/** MGET for one key too: what a read answers for a key of another type must not depend on who else reads in this tick. */
const readCommand = (keys: Map<string, Part[]>): Command => ["MGET", ...keys.keys()];

const partsOf = (leg: Leg): readonly Part[] => (leg.kind === "commands" ? [leg.part] : [...leg.keys.values()].flat());

/** What is left of a leg when the calls that were aborted before it left are taken out. */
function withoutAborted(leg: Leg): Leg | undefined {
  if (leg.kind === "commands") return leg.part.signal?.aborted ? undefined : leg;
  for (const [key, parts] of leg.keys) {
    if (parts.every((part) => part.signal?.aborted)) leg.keys.delete(key);
  }
  return leg.keys.size > 0 ? leg : undefined;
}

/** A signal that fires when no call waits for the trip any more: each of them has a signal, and each has fired. */
function wholeTripSignal(legs: readonly Leg[]): { signal: AbortSignal; release(): void } | undefined {
  if (legs.some((leg) => partsOf(leg).some((part) => part.signal === undefined))) return undefined;
  const signals = [...new Set(legs.flatMap(partsOf).map((part) => part.signal))];
  const controller = new AbortController();
  const look = (): void => {
    if (signals.every((signal) => signal?.aborted)) controller.abort();
  };
  const stops = signals.map((signal) => onAbort(signal, look));
  return {
    signal: controller.signal,
    release() {
      for (const stop of stops) stop();
    },
  };
}

/** One call's promise. Its deadline is its trip's; a signal of its own ends it whatever its companions want. */
function join(transport: Transport, options: SendOptions, board: (part: Part) => void): Promise<Reply[]> {
  const ticket = (signal: AbortSignal | undefined) =>
    new Promise<Reply[]>((resolve, reject) => board({ signal, resolve, reject }));
  if (!options.signal) return ticket(undefined);
  if (options.signal?.aborted) {
    const details = { transport: transport.name, delivery: "none" as const, cause: options.signal.reason };
    return Promise.reject(new TransportError("aborted", "The call was aborted by its signal", details));
  }
  return withDeadline(transport.name, { signal: options.signal, timeoutMs: longestTimerMs }, ticket);
}
