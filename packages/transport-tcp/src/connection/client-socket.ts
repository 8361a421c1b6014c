import { readDirectReplies } from "../protocol/direct-replies.ts";
import { isWithoutCommand } from "../protocol/intercepted-data.ts";
import { type WatchedReplies, watchReplies } from "../protocol/watched-replies.ts";
import type { TcpClient } from "../tcp-client.ts";
import { isRefusal } from "../tcp-error.ts";
import type { Trip } from "../trip/trip.ts";

/** The client of one connection, and what has become of its socket. */
export interface ClientSocket {
  readonly replies: WatchedReplies;
  /** When the present connection became ready, by `performance.now()`. */
  readonly readyAt: number;
  /** What the connection itself has said last, since it began. */
  readonly lastError: Error | undefined;
  /** Begins to connect, unless that is done or under way. @returns false when a caller's client has ended for good. */
  connect(): boolean;
  /** Ends the connection at once: a polite end would wait for a peer that may be gone. */
  drop(error: Error | undefined): void;
  /** Gives back the socket where it is ours, and listens no more. */
  close(): Promise<void>;
}

export interface ClientSocketOptions {
  readonly client: TcpClient;
  /** Ends the client. Absent for a caller's own, which we only use. */
  readonly disconnect: (() => void) | undefined;
  readonly connectTimeoutMs: number;
  /** The oldest trip on the connection that lacks replies. */
  readonly inFlight: { readonly first: Trip | undefined };
  /** Whether commands can be written now. */
  isReady(): boolean;
  /** Commands can be written. */
  onReady(): void;
  /** The connection is over, or the attempt to make one has failed. */
  onEnd(end: ConnectionEnd): void;
  /** What has come cannot be replies of Redis. */
  onProblem(problem: string): void;
  /** A socket has closed, and nothing comes from it any more. */
  onLost(socket: TcpClient["stream"]): void;
}

export interface ConnectionEnd {
  /** A connection that stood has ended, and no attempt to make one has failed. */
  readonly wasReady: boolean;
  /** The other side has ended it. */
  readonly byPeer: boolean;
  /** The client connects again by itself. */
  readonly reconnectsNow: boolean;
}

export function createClientSocket(options: ClientSocketOptions): ClientSocket {
  const { client, disconnect, connectTimeoutMs } = options;
  const owned = disconnect !== undefined;
  // Through a caller's own client everything goes as its options say.
  const replies = owned ? readDirectReplies(client, options) : watchReplies(client, options);
  let attempt: NodeJS.Timeout | undefined;
  let wasReady = client.status === "ready";
  let isDropped = false;

  const drop = (error: Error | undefined): void => {
    socket.lastError = error;
    isDropped = true;
    disconnect?.();
    client.stream?.destroy();
  };

  const onError = (error: Error): void => {
    if (isWithoutCommand(error)) return;
    socket.lastError = error;
    // ioredis would go on after a refused SELECT, in the wrong database.
    if (owned && client.status === "connect" && isRefusal(error)) drop(error);
  };
  const onReady = (): void => {
    if (!options.isReady()) return;
    clearTimeout(attempt);
    attempt = undefined;
    socket.lastError = undefined;
    socket.readyAt = performance.now();
    isDropped = false;
    wasReady = true;
    options.onReady();
  };
  // Events come a tick late: the status tells whether this one is still true.
  const onEnd = (): void => {
    if (client.status !== "end" && client.status !== "reconnecting") return;
    clearTimeout(attempt);
    const end = {
      wasReady: wasReady && attempt === undefined,
      byPeer: !isDropped,
      reconnectsNow: client.status === "reconnecting",
    };
    attempt = undefined;
    wasReady = false;
    isDropped = false;
    options.onEnd(end);
  };
  client.on("error", onError);
  client.on("ready", onReady);
  client.on("close", onEnd);
  client.on("end", onEnd);

  const socket = {
    replies,
    readyAt: performance.now(),
    lastError: undefined as Error | undefined,
    connect(): boolean {
      if (attempt || client.status === "ready") return true;
      if (client.status === "end" && !owned) return false;
      socket.lastError = undefined;
      if (owned) {
        attempt = setTimeout(() => drop(Object.assign(new Error(), { code: "ETIMEDOUT" })), connectTimeoutMs);
      }
      // The events tell its outcome.
      if (client.status === "wait" || client.status === "end") client.connect().catch(() => {});
      return true;
    },
    drop,
    async close(): Promise<void> {
      clearTimeout(attempt);
      attempt = undefined;
      if (owned && client.status !== "end") {
        const ended = new Promise<void>((resolve) => client.on("end", () => resolve()));
        drop(undefined);
        await ended;
      }
      replies.data.stop();
      client.off("error", onError);
      client.off("ready", onReady);
      client.off("close", onEnd);
      client.off("end", onEnd);
    },
  };
  return socket;
}
