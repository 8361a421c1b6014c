import { openState, type ServerSocket } from "./server-socket.ts";

/**
 * A socket whose calls never throw. The socket is an object of another library: an exception of it must not end the
 * process, or keep other clients from getting a message.
 */
export interface GuardedSocket {
  readonly isOpen: boolean;
  /** Bytes that wait to be sent. */
  readonly bufferedBytes: number;
  readonly canPing: boolean;
  readonly canTerminate: boolean;
  /** @returns whether the socket took it. */
  send(text: string): boolean;
  /** @returns whether the ping was sent. */
  ping(): boolean;
  /** @returns whether the close frame was sent. */
  close(code: number, reason: string): boolean;
  /** Ends the connection without a close frame, where the socket can; otherwise with one. */
  terminate(): void;
  /** @returns whether the listeners could be added. */
  listen(listener: SocketListener): boolean;
}

/** The events of a socket. */
export interface SocketListener {
  message(data: unknown): void;
  pong(): void;
  gone(): void;
}

/** @param onFailure - Called with what the socket has thrown. */
export function guardSocket(socket: ServerSocket, onFailure: (error: unknown) => void): GuardedSocket {
  const attempt = (call: () => unknown): boolean => {
    try {
      const result = call();
      if (result instanceof Promise) result.catch(onFailure);
      return true;
    } catch (error) {
      onFailure(error);
      return false;
    }
  };
  const read = <Value>(call: () => Value, otherwise: Value): Value => {
    let value = otherwise;
    attempt(() => {
      value = call();
    });
    return value;
  };
  const canTerminate = read(() => typeof socket.terminate === "function", false);
  const canPing = read(() => typeof socket.ping === "function" && typeof socket.on === "function", false);

  return {
    canPing,
    canTerminate,
    get isOpen() {
      return read(() => socket.readyState === openState, false);
    },
    get bufferedBytes() {
      return Math.max(0, read(() => Number(socket.bufferedAmount ?? 0), 0) || 0);
    },
    send: (text) => attempt(() => socket.send(text)),
    ping: () => attempt(() => socket.ping?.()),
    close: (code, reason) => attempt(() => socket.close(code, reason)),
    terminate() {
      if (canTerminate) attempt(() => socket.terminate?.());
    },
    listen: ({ message, pong, gone }) =>
      attempt(() => socket.addEventListener("error", gone)) &&
      attempt(() => socket.addEventListener("close", gone)) &&
      attempt(() => socket.addEventListener("message", ({ data }) => message(data))) &&
      attempt(() => (canPing ? socket.on?.("pong", pong) : undefined)) &&
      attempt(() => socket.accept?.()),
  };
}
