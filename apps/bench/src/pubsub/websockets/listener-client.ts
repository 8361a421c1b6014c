import { once } from "node:events";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { channels } from "./plan.ts";

/** One client, and what it has got. */
export interface ListenerClient {
  /** Messages of the channel that all listen to. */
  readonly messages: number;
  /** One came twice, too early or too late, or some were told as missing. */
  readonly isBroken: boolean;
  readonly wide: { readonly messages: number; readonly missed: number };
  /** It was closed, and has come back. */
  readonly hasReturned: boolean;
  freeze(): void;
  thaw(): void;
  close(): void;
}

export interface ListenerOptions {
  readonly url: string;
  readonly hearsWide: boolean;
  readonly onLatency: (ms: number) => void;
}

interface Frame {
  readonly type: string;
  readonly channel?: string;
  readonly data?: { readonly at: number };
  readonly position?: { readonly epoch: number; readonly seq: number };
  readonly missed?: number;
}

/**
 * Connects, and resolves once it listens. Whenever it is closed it comes back, behind the last message that it has got.
 */
export async function connectListener({ url, hearsWide, onLatency }: ListenerOptions): Promise<ListenerClient> {
  const seen = { messages: 0, isBroken: false, hasReturned: false };
  const wide = { messages: 0, missed: 0 };
  let position: Frame["position"];
  let isClosed = false;
  let socket: WebSocket;

  const hear = ({ type, channel, data, position: at, missed }: Frame): void => {
    if (channel === channels.wide) {
      if (type === "message") wide.messages++;
      if (type === "gap") wide.missed += missed ?? Number.NaN;
    } else if (type === "gap" || type === "error") {
      seen.isBroken = true;
    } else if (type === "message" && at && data) {
      if (at.seq !== seen.messages) seen.isBroken = true;
      seen.messages = at.seq + 1;
      position = at;
      onLatency(Date.now() - data.at);
    }
  };
  const open = async (): Promise<void> => {
    socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on("error", () => {});
    let waiting = hearsWide ? 2 : 1;
    const listens = new Promise<void>((resolve, reject) => {
      socket.on("message", (text: Buffer) => {
        const frame = JSON.parse(text.toString()) as Frame;
        hear(frame);
        if (frame.type === "subscribed" && --waiting === 0) resolve();
      });
      socket.once("close", () => reject(new Error("Closed before it listened")));
    });
    listens.catch(() => {});
    await once(socket, "open");
    const subscribe = (channel: string, after?: Frame["position"]): void =>
      socket.send(JSON.stringify({ type: "subscribe", channel, after }));
    subscribe(channels.all, position);
    if (hearsWide) subscribe(channels.wide);
    await listens;
    socket.once("close", () => {
      if (isClosed) return;
      seen.hasReturned = true;
      void again();
    });
  };
  const again = async (): Promise<void> => {
    for (;;) {
      try {
        return await open();
      } catch {
        // The server takes no connection just now.
        await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
      }
    }
  };
  await again();
  const tcp = (): Socket => (socket as WebSocket & { readonly _socket: Socket })._socket;
  return {
    get messages() {
      return seen.messages;
    },
    get isBroken() {
      return seen.isBroken;
    },
    get hasReturned() {
      return seen.hasReturned;
    },
    wide,
    freeze: () => void tcp().pause(),
    thaw: () => void tcp().resume(),
    close() {
      isClosed = true;
      socket.terminate();
    },
  };
}
