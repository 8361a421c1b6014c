import type { Server } from "node:http";
import { type Announcer, createAnnouncer, createLiveBridge, maxFrameBytes, visitorOf } from "@continuum-cache/program";
import { PubSub } from "@continuum-cache/pubsub";
import type { Cache } from "continuum-cache";
import { serveSockets } from "./socket-server.ts";

/** The live updates: events of this process and of others, for the open pages. */
export interface Live {
  readonly announcer: Announcer;
  /** Accepts the WebSockets of the pages. */
  serve(server: Server, isHere: (hostname: string) => boolean): void;
  /** Closes the WebSockets of the pages. The pages connect again, to the server that is there then. */
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
