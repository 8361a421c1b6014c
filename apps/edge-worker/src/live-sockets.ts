import { createLiveBridge, visitorOf } from "@continuum-cache/program";
import { UpstashCache } from "continuum-cache";
import type { Env } from "./env.ts";

/**
 * Holds the WebSockets of all pages, and one stream from Upstash for all of them. It is a Durable Object, since in a
 * plain Worker a socket belongs to the request that opened it.
 */
export class LiveSockets {
  private readonly bridge: ReturnType<typeof createLiveBridge>;

  constructor(_state: unknown, env: Env) {
    const cache = new UpstashCache({ env, mode: "rest", timeout: "2s" });
    this.bridge = createLiveBridge(cache.pubsub(), (message) => console.error(message));
  }

  async fetch(request: Request): Promise<Response> {
    const visitor = await visitorOf(request.headers);
    const { 0: client, 1: server } = new WebSocketPair();
    this.bridge.accept(server, visitor);
    return new Response(null, { status: 101, webSocket: client });
  }
}
