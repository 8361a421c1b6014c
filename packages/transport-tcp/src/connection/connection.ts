import { closedError, isWrite } from "@continuum-cache/core/kit";
import type { TcpClient } from "../tcp-client.ts";
import { clientError, connectionError, impossibleError, type ServerAddress, transportName } from "../tcp-error.ts";
import type { ConnectionCallbacks, Trip } from "../trip/trip.ts";
import { type ClientSocket, type ConnectionEnd, createClientSocket } from "./client-socket.ts";
import type { FailoverReconnect } from "./failover-reconnect.ts";
import { createIdleCheck, type IdleCheck, type IdleLimit } from "./idle-check.ts";
import { createSocketWriter, type SocketWriter } from "./socket-writer.ts";

/** What a connection is made of. */
export interface ConnectionParts extends ServerAddress {
  readonly client: TcpClient;
  /** Ends the client. Absent for a caller's own, which we only use. */
  readonly disconnect: (() => void) | undefined;
  /** Whether the client connects again after its socket was destroyed. */
  readonly reconnects: () => boolean;
  readonly connectTimeoutMs: number;
  readonly idle: IdleLimit;
  /** Told when the server refuses a command because it is not ready, or no primary, and when it takes writes again. */
  readonly reconnect: FailoverReconnect;
}

/**
 * A connection with commands in flight that has received no byte for this long is dead, even if the socket looks
 * open.
 */
const silenceMs = 1_000;

/** After this long without a byte, the end of a connection may have arrived and not have been read. */
const freshMs = 50;

/** One connection and its trips, which are written and answered in order. */
export class Connection implements ConnectionCallbacks {
  /** Of the trips on it. */
  readonly load: { commands: number; bytes: number } = { commands: 0, bytes: 0 };
  readonly #parts: ConnectionParts;
  readonly #isOwned: boolean;
  readonly #socket: ClientSocket;
  readonly #check: IdleCheck;
  readonly #writer: SocketWriter;
  /** Not written yet, in order. */
  readonly #waiting = new Set<Trip>();
  /** Written and lacking replies, from the oldest to the newest by their `next`. Redis answers in this order. */
  readonly #inFlight: { first: Trip | undefined; last: Trip | undefined } = { first: undefined, last: undefined };
  /** When a trip was written last, by `performance.now()`. */
  #writtenAt: number = performance.now();
  /** How long it had been idle before the oldest command that has received no byte of an answer. */
  #idleBeforeMs = 0;
  #isReconnecting = false;
  #isClosed = false;

  constructor(parts: ConnectionParts) {
    const { client, disconnect, connectTimeoutMs, idle } = parts;
    this.#parts = parts;
    this.#isOwned = disconnect !== undefined;
    this.#socket = createClientSocket({
      client,
      disconnect,
      connectTimeoutMs,
      inFlight: this.#inFlight,
      isReady: () => this.#isReady(),
      onProblem: (problem) => this.invalidReply(problem),
      onLost: (socket) => this.#lose(socket),
      onReady: () => this.#begin(),
      onEnd: (end) => this.#end(end),
    });
    this.#check = createIdleCheck({
      socket: this.#socket,
      // A caller's own client is not ours to ask, nor to end.
      idle: this.#isOwned ? idle : { ...idle, isTrusted: () => true },
      server: parts,
      isReady: () => this.#isReady(),
      write: (trip) => {
        this.#enter(trip);
        this.#write(trip, performance.now());
      },
    });
    this.#writer = createSocketWriter(client);
  }

  /**
   * Takes a trip. It is written at once, or when the connection stands; one failed attempt fails all that waited.
   *
   * @param nowMs - The present, by `performance.now()`.
   */
  send(trip: Trip, nowMs: number = performance.now()): void {
    if (this.#isClosed) {
      trip.end(closedError(transportName, "transport"));
      return;
    }
    const isFree = !this.#isReconnecting && !this.#check.isRunning && this.#waiting.size === 0;
    this.#enter(trip);
    if (isFree && this.#isReady() && this.#isFresh(nowMs)) {
      this.#write(trip, nowMs);
    } else {
      this.#waiting.add(trip);
      this.#proceed();
    }
  }

  /** The caller of a trip has given up: the trip is not sent, or its replies are thrown away. */
  abandon(trip: Trip, timedOut: boolean): void {
    this.#takeBack(trip);
    if (!timedOut || !this.#isOwned || trip.writtenTo !== this) return;
    const { first } = this.#inFlight;
    const quietSince = Math.max(this.#socket.replies.data.lastAt, first?.writtenAt ?? performance.now());
    if (performance.now() - quietSince >= silenceMs)
      this.#socket.drop(Object.assign(new Error(), { code: "ETIMEDOUT" }));
  }

  /** Connects again, once what is in flight is answered. What is sent meanwhile waits for the new connection. */
  renew(): void {
    if (this.#isReconnecting || !this.#isReady() || !this.#parts.reconnects()) return;
    this.#isReconnecting = true;
    if (!this.#inFlight.first) this.#socket.drop(undefined);
  }

  /** The trips that it has not answered, in order. */
  trips(): readonly Trip[] {
    return [...this.#lacking(), ...this.#waiting];
  }

  /** Fails its trips with kind `closed` and, where the connection is ours, gives back the socket. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failWaiting(closedError(transportName, "transport"));
    for (const trip of this.#lacking()) trip.end(closedError(transportName, "transport", "unknown"));
    await this.#socket.close();
  }

  get isQueued(): boolean {
    return this.#socket.replies.isQueued;
  }

  nextLongInteger = (): number | undefined => this.#socket.replies.nextLongInteger();

  toTransportError(error: Error): ReturnType<ConnectionCallbacks["toTransportError"]> {
    return clientError(error) ?? connectionError(this.#socket.lastError ?? error, this.#parts, "unknown");
  }

  /** The oldest trip has received an invalid reply. Fails all trips: no later reply can be trusted. */
  invalidReply(problem: string): void {
    const [first, ...others] = this.#lacking();
    first?.end(impossibleError("protocol", problem, this.#parts));
    const broken = impossibleError("unreachable", problem, this.#parts);
    for (const trip of others) trip.end(broken);
    this.#socket.drop(broken);
  }

  notReady(): void {
    this.#parts.reconnect.refused(this.#socket.readyAt);
  }

  completed(trip: Trip): void {
    this.#settle(trip);
    const { reconnect } = this.#parts;
    if (reconnect.isPending && !trip.isRefused && trip.commands.some(isWrite)) reconnect.accepted(this.#socket.readyAt);
    if (this.#isReconnecting && !this.#inFlight.first) this.#socket.drop(undefined);
  }

  #enter(trip: Trip): void {
    this.load.commands += trip.wire.length;
    this.load.bytes += trip.bytes;
  }

  #leave(trip: Trip): void {
    this.load.commands -= trip.wire.length;
    this.load.bytes -= trip.bytes;
    trip.onGone?.();
  }

  /** Nothing more comes for a trip that was written. */
  #settle(trip: Trip): void {
    const inFlight = this.#inFlight;
    while (inFlight.first?.missing === 0) {
      const { next }: Trip = inFlight.first;
      inFlight.first.next = undefined;
      inFlight.first = next;
    }
    if (!inFlight.first) inFlight.last = undefined;
    this.#leave(trip);
  }

  #takeBack(trip: Trip): void {
    if (this.#waiting.delete(trip)) this.#leave(trip);
  }

  /** The written trips that lack replies, in order. */
  #lacking(): Trip[] {
    const trips: Trip[] = [];
    for (let trip = this.#inFlight.first; trip; trip = trip.next) if (trip.missing > 0) trips.push(trip);
    return trips;
  }

  #isReady(): boolean {
    const { client } = this.#parts;
    return client.status === "ready" && (client.stream?.writable ?? true);
  }

  #isFresh(nowMs: number): boolean {
    return this.#inFlight.first !== undefined || this.#idleMs(nowMs) < freshMs;
  }

  #isAnswered(): boolean {
    return this.#socket.replies.data.lastAt >= this.#writtenAt;
  }

  #idleMs(nowMs: number): number {
    const { replies, readyAt } = this.#socket;
    return nowMs - Math.max(replies.data.lastAt, this.#writtenAt, readyAt);
  }

  #write(trip: Trip, nowMs: number): void {
    const { replies } = this.#socket;
    const inFlight = this.#inFlight;
    if (replies.data.stream !== this.#parts.client.stream) replies.data.attach();
    if (this.#isAnswered()) this.#idleBeforeMs = this.#idleMs(nowMs);
    this.#writtenAt = nowMs;
    trip.writtenTo = this;
    trip.writtenAt = this.#writtenAt;
    if (inFlight.last) inFlight.last.next = trip;
    else inFlight.first = trip;
    inFlight.last = trip;
    this.#writer.write(trip, replies.expects(trip));
  }

  #flush(): void {
    const nowMs = performance.now();
    for (const trip of this.#waiting) {
      if (!this.#isReady()) return;
      this.#waiting.delete(trip);
      this.#write(trip, nowMs);
    }
  }

  /** Writes the waiting trips once the connection is ready and known to be alive. */
  #proceed(): void {
    if (this.#isReconnecting || this.#check.isRunning || this.#waiting.size === 0) return;
    if (this.#parts.client.status !== "ready") {
      if (!this.#socket.connect()) this.#failWaiting(undefined);
    } else if (this.#isReady()) {
      const nowMs = performance.now();
      if (this.#isFresh(nowMs)) this.#flush();
      else this.#check.begin(this.#idleMs(nowMs), () => (this.#isReady() ? this.#flush() : this.#proceed()));
    }
  }

  /** The connection is ready. */
  #begin(): void {
    this.#check.cancel();
    this.#isReconnecting = false;
    this.#flush();
  }

  #end({ wasReady, byPeer, reconnectsNow }: ConnectionEnd): void {
    if (wasReady && byPeer) this.#learnFromClose();
    this.#check.cancel();
    this.#isReconnecting = false;
    if (!wasReady || !(this.#isOwned || reconnectsNow)) this.#failWaiting(this.#socket.lastError);
    else if (this.#waiting.size > 0) this.#socket.connect();
  }

  /** Remembers after which idle time the other side has closed the connection. */
  #learnFromClose(): void {
    const idledMs = this.#isAnswered() ? this.#idleMs(performance.now()) : this.#idleBeforeMs;
    if (idledMs >= freshMs) this.#parts.idle.closedAfter(idledMs);
  }

  #failWaiting(error: Error | undefined): void {
    for (const trip of this.#waiting) {
      trip.end(connectionError(error, this.#parts, "none"));
      this.#takeBack(trip);
    }
  }

  /** A socket has closed: fails the trips whose replies were to come from it. */
  #lose(socket: TcpClient["stream"]): void {
    for (const trip of this.#lacking()) {
      if (trip.socket !== socket) continue;
      trip.connectionLost(connectionError(this.#socket.lastError, this.#parts, "unknown"));
      this.#settle(trip);
    }
  }
}
