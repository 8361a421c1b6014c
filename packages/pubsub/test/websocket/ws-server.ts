import { once } from "node:events";
import type { Socket } from "node:net";
import type { Transport } from "@continuum-cache/core";
import { WebSocket, WebSocketServer } from "ws";
import { PubSub } from "../../src/index.ts";
import { createWebSocketBridge, type WebSocketBridge, type WebSocketBridgeOptions } from "../../src/websocket.ts";

/** A server process in small: a transport, a PubSub, a bridge, and `ws` in front. */
export interface BridgeServer {
  readonly bridge: WebSocketBridge<string>;
  readonly pubsub: PubSub;
  /** Connects; the name is what `authorize` is told. */
  connect(name?: string): Promise<BridgeClient>;
  close(): Promise<void>;
}

export interface Frame {
  readonly type: string;
  readonly channel?: string;
  readonly data?: unknown;
  readonly missed?: number;
  readonly position?: { readonly epoch: number; readonly seq: number };
  readonly [other: string]: unknown;
}

export interface BridgeClient {
  readonly frames: readonly Frame[];
  /** With what code it was closed. */
  readonly closed: Promise<number>;
  say(frame: unknown): void;
  /** Subscribes and waits until that is confirmed. */
  subscribe(channel: string, after?: unknown): Promise<Frame>;
  until(done: (frames: readonly Frame[]) => boolean): Promise<void>;
  /** What was published, in the order of its arrival. */
  data(channel?: string): unknown[];
  /** All gaps together. */
  missed(): number;
  /** Reads nothing more; what the other side sends stays with it. */
  freeze(): void;
  thaw(): void;
  drop(): void;
}

export async function startBridge(
  transport: Transport,
  options: Partial<WebSocketBridgeOptions<string>> = {},
): Promise<BridgeServer> {
  const pubsub = new PubSub({ transport });
  const bridge = createWebSocketBridge<string>(pubsub, { authorize: () => true, ...options });
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.on("connection", (socket, { url }) => bridge.accept(socket, (url ?? "/").slice(1)));
  return {
    bridge,
    pubsub,
    connect: (name = "anybody") => connectTo(`ws://127.0.0.1:${port}/${name}`),
    async close() {
      await bridge.close();
      await new Promise((closed) => server.close(closed));
      await pubsub.close();
      await transport.close();
    },
  };
}

async function connectTo(url: string): Promise<BridgeClient> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const frames: Frame[] = [];
  let wake = (): void => {};
  socket.on("message", (text) => {
    frames.push(JSON.parse(String(text)));
    wake();
  });
  socket.on("error", () => {});
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "open");
  const { _socket: tcp } = socket as WebSocket & { readonly _socket: Socket };
  const say = (frame: unknown): void => socket.send(JSON.stringify(frame));
  const until = async (done: (frames: readonly Frame[]) => boolean): Promise<void> => {
    const givenUpAt = Date.now() + 20_000;
    while (!done(frames)) {
      const left = givenUpAt - Date.now();
      if (left < 0)
        throw new Error(`Gave up waiting; the last frame was ${JSON.stringify(frames.at(-1))?.slice(0, 300)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left + 1, 500));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  return {
    frames,
    closed,
    say,
    async subscribe(channel, after) {
      say({ type: "subscribe", channel, after });
      const answer = () => frames.find((frame) => frame.channel === channel && /subscribed|error/.test(frame.type));
      await until(() => answer() !== undefined);
      return answer() as Frame;
    },
    until,
    data: (channel) =>
      frames
        .filter((frame) => frame.type === "message" && (channel === undefined || frame.channel === channel))
        .map(({ data }) => data),
    missed: () => frames.reduce((sum, frame) => sum + (frame.type === "gap" ? Number(frame.missed) : 0), 0),
    freeze: () => void tcp.pause(),
    thaw: () => void tcp.resume(),
    drop: () => socket.terminate(),
  };
}
