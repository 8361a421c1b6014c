import type { PubSub } from "@continuum-cache/pubsub";
import { createWebSocketBridge, type WebSocketBridge } from "@continuum-cache/pubsub/websocket";
import { sessionIdIn } from "../session-cookie.ts";
import { history } from "./announcer.ts";
import { memoryUpdates, sessionEvents } from "./live-event.ts";
import { sessionChannel } from "./session-channel.ts";

/** The visitor whose page opened a WebSocket. */
export interface Visitor {
  /** The channel of the session that its cookie names. */
  readonly ownChannel: string | undefined;
}

/** The longest frame that a page may send. */
export const maxFrameBytes = 4_096;

/** @param headers - Of the request for the WebSocket. */
export async function visitorOf(headers: Headers): Promise<Visitor> {
  const id = sessionIdIn(headers.get("cookie") ?? "");
  return { ownChannel: id === undefined ? undefined : await sessionChannel(id) };
}

/** Sends live events to the pages: the public ones to all, and to each visitor those of its own session. */
export function createLiveBridge(pubsub: PubSub, logError: (message: string) => void): WebSocketBridge<Visitor> {
  return createWebSocketBridge<Visitor>(pubsub, {
    authorize: (channel, { ownChannel }) => [memoryUpdates, sessionEvents, ownChannel].includes(channel),
    replay: () => history,
    maxClients: 1_000,
    maxChannels: 3,
    maxFrameBytes,
    onError: (error) => logError(`Live updates: ${error instanceof Error ? error.message : String(error)}`),
  });
}
