import type { OnReadOpts, Socket } from "node:net";
import { createReplyReader, type WholeReply } from "./reply-reader.ts";

/** One request that waits for its reply. Exactly one of `succeed` and `fail` is called, unless it is canceled. */
export interface PendingRequest {
  /** The head of the request with the blank line that ends it: ASCII. */
  readonly head: string;
  readonly body: string | Uint8Array;
  /** How long the body is, in UTF-8. */
  readonly bodyBytes: number;
  /** A reply with a longer body is read no further. */
  readonly maxBodyBytes: number;
  /**
   * Called when it begins to wait for a connection.
   *
   * @param answersCame - Whether any other request was answered since.
   * @returns what is called when it is given one, which may have to be opened first.
   */
  startWaiting(answersCame: () => boolean): () => void;
  /** Called when the socket has been given it: from now on it may arrive. */
  markSent(): void;
  succeed(reply: WholeReply): void;
  fail(loss: Loss): void;
}

/** What is known of a request that got no reply. */
export interface Loss {
  /** It did not leave as a whole, so the server cannot have run it. */
  readonly unsent: boolean;
  /** The connection was idle before, and nothing came back: the server may have closed it meanwhile. */
  readonly stale: boolean;
  readonly cause: unknown;
}

/** One kept-alive connection: it carries one request at a time. */
export interface Connection {
  /** Whether a request may be sent now. */
  readonly isIdle: boolean;
  /** Sends a request on an idle connection. */
  send(pending: PendingRequest): void;
  /** Closes the connection, without a call of `fail` for its request. */
  close(): void;
}

/** Called when a connection is free or closed, before its request is completed. */
export interface ConnectionListener {
  /** The reply to `pending` came as a whole: the connection is idle, and may serve again for so long. */
  freed(connection: Connection, pending: PendingRequest, idleLimitMs: number): void;
  /** It is closed, and not by `close()`. `pending` is what it carried, `loss` what is known when it got no reply. */
  closed(connection: Connection, pending: PendingRequest | undefined, loss: Loss | undefined): void;
}

/** Opens a socket, whose `ready` event says that data may leave: on TLS once the server has proven who it is. */
export interface Opening {
  open(onread: OnReadOpts): Socket;
  readonly ready: "connect" | "secureConnect";
}

type State =
  | { readonly phase: "opening"; readonly pending: PendingRequest }
  | { readonly phase: "busy"; readonly pending: PendingRequest; readonly reused: boolean; left: Left }
  | { readonly phase: "idle" }
  | { readonly phase: "closed" };

/** Whether a request was written completely. A TLS socket reports it a tick later; the reply may be here by then. */
type Left = "no" | "unknown" | "yes";

const readBytes = 1 << 16;
/** A TLS record is read as a whole or not at all, and holds so much. */
const recordBytes = 16_384;
const idle: State = { phase: "idle" };
const closed: State = { phase: "closed" };

/** Opens a connection for an pending, which leaves as soon as it is ready. */
export function openConnection(opening: Opening, pending: PendingRequest, listener: ConnectionListener): Connection {
  const reader = createReplyReader();
  const isSecure = opening.ready === "secureConnect";
  let state: State = { phase: "opening", pending };

  const write = (next: PendingRequest, reused: boolean): void => {
    const busy: State = { phase: "busy", pending: next, reused, left: isSecure ? "unknown" : "no" };
    state = busy;
    writeRequest(socket, next, (error) => {
      if (!error) busy.left = "yes";
    });
    next.markSent();
  };

  const lose = (cause: unknown): void => {
    const before = state;
    if (before.phase === "closed") return;
    state = closed;
    socket.destroy();
    if (before.phase === "idle") {
      listener.closed(connection, undefined, undefined);
      return;
    }
    const isBusy = before.phase === "busy";
    const loss: Loss = {
      unsent: !isBusy || before.left === "no",
      stale: isBusy && before.reused && !reader.hasBegun,
      cause: cause ?? Object.assign(new Error("The server closed the connection"), { code: "ECONNRESET" }),
    };
    listener.closed(connection, before.pending, loss);
    before.pending.fail(loss);
  };

  const receive = (bytes: Buffer): void => {
    if (state.phase !== "busy") {
      // It was not asked for: what comes after it can't be trusted.
      lose(undefined);
      return;
    }
    const { pending, left } = state;
    let reply: WholeReply | undefined;
    try {
      reply = reader.read(bytes, pending.maxBodyBytes);
    } catch (error) {
      lose(error);
      return;
    }
    if (reply) finish(pending, reply, left);
  };

  const finish = (pending: PendingRequest, reply: WholeReply, left: Left): void => {
    const { head, bodyBytes } = pending;
    // A reply that came before its request had left: the rest of the request would be taken for the next one.
    const hasLeft = left === "yes" || (left === "unknown" && head.length + bodyBytes <= recordBytes);
    if (hasLeft && reply.idleLimitMs > 0) {
      state = idle;
      socket.unref();
      listener.freed(connection, pending, reply.idleLimitMs);
    } else {
      state = closed;
      socket.destroy();
      listener.closed(connection, pending, undefined);
    }
    pending.succeed(reply);
  };

  const end = (): void => {
    const reply = state.phase === "busy" ? reader.end() : undefined;
    if (state.phase === "busy" && reply) finish(state.pending, reply, state.left);
    else lose(undefined);
  };

  const socket = opening.open({
    buffer: Buffer.allocUnsafeSlow(readBytes),
    callback(size, buffer) {
      receive((buffer as Buffer).subarray(0, size));
      return true;
    },
  });
  socket.once(opening.ready, () => {
    if (state.phase === "opening") write(state.pending, false);
  });
  socket.on("end", end);
  socket.on("error", lose);
  socket.on("close", () => lose(undefined));

  const connection: Connection = {
    get isIdle() {
      return state.phase === "idle" && !socket.destroyed && !socket.readableEnded;
    },
    send(next) {
      socket.ref();
      write(next, true);
    },
    close() {
      state = closed;
      socket.destroy();
    },
  };
  return connection;
}

/** A body that is text travels with its head in one piece, in the cheapest encoding that can carry it. */
function writeRequest(socket: Socket, pending: PendingRequest, sent: (error?: Error | null) => void): void {
  const { head, body, bodyBytes } = pending;
  if (typeof body === "string") {
    socket.write(head + body, bodyBytes === body.length ? "latin1" : "utf8", sent);
    return;
  }
  socket.cork();
  socket.write(head, "latin1");
  socket.write(body, sent);
  socket.uncork();
}
