import type { Command, TransportError } from "@continuum-cache/core";
import { createDebts } from "./debts.ts";
import { closedError, connectionError, isRefusal, type Place } from "./tcp-error.ts";
import type { TcpClient } from "./tcp-options.ts";
import type { Carrier, Trip } from "./trip.ts";
import { wireCommand } from "./wire-command.ts";

/** One connection and the trips on it, which it serves first come, first served. */
export interface Connection {
  /** Takes a trip. It is written at once, or when the connection stands; one failed attempt fails all that waited. */
  send(trip: Trip): void;
  /** The caller of one of its trips waits no longer: not sent if it wasn't, its replies are thrown away if it was. */
  forsake(trip: Trip, timedOut: boolean): void;
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
  readonly connectTimeoutMs: number;
}

/** A connection that owes answers and has not said a byte for this long is dead, whatever the socket says. */
const silenceMs = 1_000;

export function createConnection({ client, disconnect, connectTimeoutMs, ...place }: ConnectionParts): Connection {
  const owned = disconnect !== undefined;
  const waiting = new Set<Trip>();
  const debts = createDebts();
  const load = { commands: 0, bytes: 0 };
  let attempt: NodeJS.Timeout | undefined;
  let lastError: Error | undefined;
  let lastDataAt = 0;
  let heard: TcpClient["stream"] | undefined;
  let corked: TcpClient["stream"] | undefined;
  let closed = false;

  const isReady = (): boolean => client.status === "ready" && (client.stream?.writable ?? true);

  /** The trip is off this connection, answered or not. */
  const release = (trip: Trip): void => {
    load.commands -= trip.wire.length;
    load.bytes -= trip.bytes;
    trip.onGone?.();
  };

  const failWaiting = (error: TransportError): void => {
    for (const trip of waiting) {
      waiting.delete(trip);
      trip.end(error);
      release(trip);
    }
  };

  /** Ends the connection at once: a polite end would wait for a peer that may be gone. */
  const drop = (error: Error | undefined): void => {
    lastError = error;
    disconnect?.();
    client.stream?.destroy();
  };

  const connect = (): void => {
    if (attempt) return;
    if (client.status === "end" && !owned) {
      failWaiting(connectionError(undefined, place, "none"));
      return;
    }
    lastError = undefined;
    if (owned) {
      attempt = setTimeout(() => drop(Object.assign(new Error(), { code: "ETIMEDOUT" })), connectTimeoutMs);
    }
    // Its outcome is told by events.
    if (client.status === "wait" || client.status === "end") client.connect().catch(() => {});
  };

  const settleAttempt = (): boolean => {
    const attempted = attempt !== undefined;
    clearTimeout(attempt);
    attempt = undefined;
    return attempted;
  };

  const onError = (error: Error): void => {
    lastError = error;
    // ioredis would go on after a refused SELECT, in the wrong database.
    if (owned && client.status === "connect" && isRefusal(error)) drop(error);
  };
  const onReady = (): void => {
    if (!isReady()) return;
    settleAttempt();
    lastError = undefined;
    flush();
  };
  // Events come a tick late: the status tells whether this one is still true.
  const onEnd = (): void => {
    if (client.status !== "end" && client.status !== "reconnecting") return;
    const attempted = settleAttempt();
    if (owned && !attempted && waiting.size > 0 && !closed) connect();
    else failWaiting(connectionError(lastError, place, "none"));
  };
  client.on("error", onError);
  client.on("ready", onReady);
  client.on("close", onEnd);
  client.on("end", onEnd);

  const onData = (): void => {
    lastDataAt = performance.now();
  };

  const flush = (): void => {
    for (const trip of waiting) {
      if (!isReady()) return;
      waiting.delete(trip);
      write(trip);
    }
  };

  /** All trips of a tick share one write to the socket. */
  const corkForThisTick = (): void => {
    const { stream } = client;
    if (!stream || corked === stream) return;
    corked = stream;
    stream.cork();
    process.nextTick(() => {
      if (corked === stream) corked = undefined;
      stream.uncork();
    });
    if (heard !== stream) {
      heard = stream;
      stream.on("data", onData);
    }
  };

  const carrier: Carrier = {
    broken: (error) => connectionError(lastError ?? error, place, "unknown"),
    paid(trip) {
      debts.clear();
      release(trip);
    },
  };

  const write = (trip: Trip): void => {
    corkForThisTick();
    trip.writtenTo = carrier;
    trip.writtenAt = performance.now();
    debts.add(trip);
    for (let index = 0; index < trip.wire.length; index++) {
      client.sendCommand(wireCommand(trip.wire[index] as Command, index, trip));
    }
  };

  return {
    send(trip) {
      if (closed) return trip.end(closedError("none"));
      load.commands += trip.wire.length;
      load.bytes += trip.bytes;
      if (isReady() && waiting.size === 0) return write(trip);
      waiting.add(trip);
      if (isReady()) flush();
      else if (client.status !== "ready") connect();
    },
    forsake(trip, timedOut) {
      if (waiting.delete(trip)) release(trip);
      if (!timedOut || !owned || trip.writtenTo !== carrier) return;
      const quietSince = Math.max(lastDataAt, debts.oldest()?.writtenAt ?? performance.now());
      if (performance.now() - quietSince >= silenceMs) drop(Object.assign(new Error(), { code: "ETIMEDOUT" }));
    },
    trips: () => [...debts.trips(), ...waiting],
    unanswered: () => load,
    async close() {
      if (closed) return;
      closed = true;
      failWaiting(closedError("none"));
      for (const trip of debts.trips()) trip.end(closedError("unknown"));
      settleAttempt();
      if (owned && client.status !== "end") {
        const ended = new Promise<void>((resolve) => client.on("end", () => resolve()));
        drop(undefined);
        await ended;
      }
      client.off("error", onError);
      client.off("ready", onReady);
      client.off("close", onEnd);
      client.off("end", onEnd);
      heard?.off("data", onData);
    },
  };
}
