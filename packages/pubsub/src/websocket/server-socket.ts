/**
 * The server's end of a standard WebSocket, as far as a bridge needs it: a socket of `ws`, or the server half of a
 * Workers `WebSocketPair`. Optional members are used where they exist.
 */
export interface ServerSocket {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /** Bytes that wait to be sent. Absent (Workers) counts as 0: no client is too slow there. */
  readonly bufferedAmount?: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
  /** Workers: begins to deliver incoming frames. */
  accept?(): void;
  /** `ws`: ends the connection without a close frame. */
  terminate?(): void;
  /** `ws`: sends a ping, whose answer `on("pong")` hears. */
  ping?(): void;
  on?(event: "pong", listener: () => void): unknown;
}

/** The `readyState` of a socket that can send. */
export const openState = 1;
