import { createIdleCheck } from "./idle-check.ts";
import type { IdleLimit } from "./idle-limit.ts";
import { createInFlight } from "./in-flight.ts";
import { createLink } from "./link.ts";
import { createSocketWriter } from "./socket-writer.ts";
import { clientError, closedError, connectionError, impossibleError, type Place } from "./tcp-error.ts";
import type { TcpClient } from "./tcp-options.ts";
import type { Carrier, Trip } from "./trip.ts";

/** One connection and the trips on it, which it serves first come, first served. */
export interface Connection {
  /** Takes a trip. It is written at once, or when the connection stands; one failed attempt fails all that waited. */
  send(trip: Trip): void;
  /** The caller of one of its trips waits no longer: not sent if it wasn't, its replies are thrown away if it was. */
  forsake(trip: Trip, timedOut: boolean): void;
  /** Connects again, once what is in flight is answered. What is sent meanwhile waits for the new connection. */
  renew(): void;
  /** The trips that it has not answered, in order. */
  trips(): readonly Trip[];
  unanswered(): { readonly commands: number; readonly bytes: number };
  /** Fails its trips with kind `closed` and, where the connection is ours, gives back the socket. */
  close(): Promise<void>;
}

/** What a connection is made of. */
export interface ConnectionParts extends Place {
  readonly client: TcpClient;
  /** Ends the client. Absent for a caller's own, which we only use. */
  readonly disconnect: (() => void) | undefined;
  /** Whether the client connects again after its socket was destroyed. */
  readonly reconnects: () => boolean;
  readonly connectTimeoutMs: number;
  readonly idle: IdleLimit;
  /** The server has refused a command because it is not ready, or no primary; with when the connection was made. */
  onRefused(madeAt: number): void;
  /** The server has answered a trip. */
  onAnswered(trip: Trip, madeAt: number): void;
}

/** A connection that owes answers and has not said a byte for this long is dead, whatever the socket says. */
const silenceMs = 1_000;

/** After so long without a byte the end of a connection may have arrived without having been read. */
const freshMs = 50;

export function createConnection({ onRefused, onAnswered, ...parts }: ConnectionParts): Connection {
  const { client, disconnect, reconnects, connectTimeoutMs, idle, where, secure } = parts;
  const place = { where, secure };
  const owned = disconnect !== undefined;
  const inFlight = createInFlight();
  let writtenAt = performance.now();
  /** For how long it had been idle when the first command was written of which no byte of an answer has come. */
  let idleBeforeMs = 0;
  let isRenewing = false;
  let isClosed = false;

  const failWaiting = (error: Error | undefined): void => {
    for (const trip of inFlight.waiting) {
      trip.end(connectionError(error, place, "none"));
      inFlight.takeBack(trip);
    }
  };

  /** The first trip in flight has got an impossible reply, and what the others would get is worth nothing. */
  const giveUp = (problem: string): void => {
    const [first, ...others] = inFlight.owed();
    first?.end(impossibleError("protocol", problem, place));
    const broken = impossibleError("unreachable", problem, place);
    for (const trip of others) trip.end(broken);
    link.drop(broken);
  };

  const link = createLink({
    client,
    disconnect,
    connectTimeoutMs,
    onProblem: giveUp,
    onLost(trips) {
      for (const trip of trips) {
        trip.lose(connectionError(link.lastError, place, "unknown"));
        inFlight.answered(trip);
      }
    },
    onReady() {
      check.cancel();
      isRenewing = false;
      flush();
    },
    onEnd({ wasReady, byPeer, reconnectsNow }) {
      if (wasReady && byPeer) learnFromClose();
      check.cancel();
      isRenewing = false;
      if (!wasReady || !(owned || reconnectsNow)) failWaiting(link.lastError);
      else if (inFlight.waiting.size > 0) link.connect();
    },
  });

  const isAnswered = (): boolean => link.replies.lastAt >= writtenAt;

  /** The other side closes idle connections: before the next command comes, or while it is on its way. */
  const learnFromClose = (): void => {
    const idledMs = isAnswered() ? idleMs() : idleBeforeMs;
    if (idledMs >= freshMs) idle.closedAfter(idledMs);
  };

  const idleMs = (): number => performance.now() - Math.max(link.replies.lastAt, writtenAt, link.readyAt);
  const isFresh = (): boolean => inFlight.isOwed || idleMs() < freshMs;

  const carrier: Carrier = {
    get isQueued() {
      return link.replies.isQueued;
    },
    nextLongInteger: () => link.replies.nextLongInteger(),
    broken: (error) => clientError(error) ?? connectionError(link.lastError ?? error, place, "unknown"),
    impossible: giveUp,
    refused: () => onRefused(link.readyAt),
    paid(trip) {
      inFlight.answered(trip);
      onAnswered(trip, link.readyAt);
      if (isRenewing) endIfAnswered();
    },
  };

  const endIfAnswered = (): void => {
    if (!inFlight.isOwed) link.drop(undefined);
  };

  const writeToSocket = createSocketWriter(client, link.replies);
  const write = (trip: Trip): void => {
    link.replies.attach();
    if (isAnswered()) idleBeforeMs = idleMs();
    writtenAt = performance.now();
    trip.writtenTo = carrier;
    trip.writtenAt = writtenAt;
    inFlight.written(trip);
    writeToSocket(trip);
  };

  const flush = (): void => {
    for (const trip of inFlight.waiting) if (link.isReady()) write(trip);
  };

  const check = createIdleCheck({
    link,
    // A caller's own client is not ours to ask, nor to end.
    idle: owned ? idle : { ...idle, isTrusted: () => true },
    place,
    write(trip) {
      inFlight.enter(trip, false);
      write(trip);
    },
  });

  /** Sends what waits, as soon as the connection can be expected to carry it. */
  const proceed = (): void => {
    if (isRenewing || check.isRunning || inFlight.waiting.size === 0) return;
    if (client.status !== "ready") {
      if (!link.connect()) failWaiting(undefined);
    } else if (link.isReady()) {
      if (isFresh()) flush();
      else check.begin(idleMs(), () => (link.isReady() ? flush() : proceed()));
    }
  };

  return {
    send(trip) {
      if (isClosed) return trip.end(closedError("none"));
      const isFree = !isRenewing && !check.isRunning && inFlight.waiting.size === 0;
      const writesNow = isFree && link.isReady() && isFresh();
      inFlight.enter(trip, !writesNow);
      if (writesNow) write(trip);
      else proceed();
    },
    forsake(trip, timedOut) {
      inFlight.takeBack(trip);
      if (!timedOut || !owned || trip.writtenTo !== carrier) return;
      const quietSince = Math.max(link.replies.lastAt, inFlight.owedSince ?? performance.now());
      if (performance.now() - quietSince >= silenceMs) link.drop(Object.assign(new Error(), { code: "ETIMEDOUT" }));
    },
    renew() {
      if (isRenewing || !link.isReady() || !reconnects()) return;
      isRenewing = true;
      endIfAnswered();
    },
    trips: () => [...inFlight.owed(), ...inFlight.waiting],
    unanswered: () => inFlight.load,
    async close() {
      if (isClosed) return;
      isClosed = true;
      failWaiting(closedError("none"));
      for (const trip of inFlight.owed()) trip.end(closedError("unknown"));
      await link.close();
    },
  };
}
