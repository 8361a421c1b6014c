import type { Server } from "node:http";
import { PubSub } from "@continuum-cache/pubsub";
import { createWebSocketBridge } from "@continuum-cache/pubsub/websocket";
import type { Cache } from "continuum-cache";
import { sessionIdIn } from "../session-cookie.ts";
import { type Announcer, createAnnouncer, history } from "./announcer.ts";
import { memoryUpdates, sessionEvents } from "./live-event.ts";
import { sessionChannel } from "./session-channel.ts";
import { serveSockets } from "./socket-server.ts";

/** The live updates: events out of this process and others, to the pages that are open. */
export interface Live {
  readonly announcer: Announcer;
  /** Takes the pages' WebSockets. */
  serve(server: Server, isHere: (hostname: string) => boolean): void;
  /** Says farewell to the pages. They come back, to whoever is there then. */
  dismiss(): Promise<void>;
  close(): Promise<void>;
}

/** Whose page a WebSocket is. */
interface Visitor {
  /** The channel of the session that its cookie names. */
  readonly ownChannel: string | undefined;
}

const maxFrameBytes = 4_096;

export function createLive(cache: Cache, logError: (message: string) => void): Live {
  const pubsub = new PubSub(cache);
  const announcer = createAnnouncer(pubsub, logError);
  const bridge = createWebSocketBridge<Visitor>(pubsub, {
    authorize: (channel, { ownChannel }) => [memoryUpdates, sessionEvents, ownChannel].includes(channel),
    replay: () => history,
    maxClients: 1_000,
    maxChannels: 3,
    maxFrameBytes,
    onError: (error) => logError(`Live updates: ${error instanceof Error ? error.message : String(error)}`),
  });
  return {
    announcer,
    serve: (server, isHere) =>
      serveSockets<Visitor>(server, {
        isHere,
        maxFrameBytes,
        async identify(headers) {
          const id = sessionIdIn(headers.get("cookie") ?? "");
          return { ownChannel: id === undefined ? undefined : await sessionChannel(id) };
        },
        accept: bridge.accept,
      }),
    dismiss: bridge.close,
    async close() {
      await bridge.close();
      await announcer.idle();
      await pubsub.close();
    },
  };
}
