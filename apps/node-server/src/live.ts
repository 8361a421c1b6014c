import type { Server } from "node:http";
import { type Announcer, createAnnouncer, createLiveBridge, maxFrameBytes, visitorOf } from "@continuum-cache/program";
import { PubSub } from "@continuum-cache/pubsub";
import type { Cache } from "continuum-cache";
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

export function createLive(cache: Cache, logError: (message: string) => void): Live {
  const pubsub = new PubSub(cache);
  const announcer = createAnnouncer(pubsub, logError);
  const bridge = createLiveBridge(pubsub, logError);
  return {
    announcer,
    serve: (server, isHere) =>
      serveSockets(server, { isHere, maxFrameBytes, identify: visitorOf, accept: bridge.accept }),
    dismiss: bridge.close,
    async close() {
      await bridge.close();
      await announcer.idle();
      await pubsub.close();
    },
  };
}
