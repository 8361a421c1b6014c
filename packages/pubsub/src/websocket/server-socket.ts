/**
 * The server's end of a standard WebSocket, as far as a bridge needs it: a socket of `ws`, or the server half of a
 * Workers `WebSocketPair`. What is optional is used where it is there.
 */
export interface ServerSocket {
  /** 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number;
  /**
   * Bytes that wait to be sent. Where a platform doesn't tell (Workers) it counts as 0: no client there is ever too
   * slow.
   */
  readonly bufferedAmount?: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
  /** Workers: begins to deliver what arrives. */
  accept?(): void;
  /** `ws`: ends the connection without a farewell. */
  terminate?(): void;
  /** `ws`: asks the other side for a sign of life, which `on("pong")` hears. */
  ping?(): void;
  on?(event: "pong", listener: () => void): unknown;
}

/** What `readyState` says of a socket that can send. */
export const openState = 1;
