import type { ServerResponse } from "node:http";
import type { Message, Subscription, Topics, Transport } from "@continuum-cache/core";
import { engineFailure } from "../engine/engine-failure.ts";
import { RequestError } from "../errors/request-error.ts";
import { tooManyStreams } from "../protocol/service-texts.ts";
import { aborted } from "../request/aborted.ts";

/** The parts of a stream. */
export interface StreamParts {
  readonly engine: Transport;
  /** How long to wait for the engine to confirm. */
  readonly timeoutMs: number;
  /** How often a comment is sent, so that no proxy takes the stream for dead. */
  readonly heartbeatMs: number;
  /** All open streams of the server. */
  readonly streams: OpenStreams;
  /** Ends the stream: its client went away, or the server closes. */
  readonly signal: AbortSignal;
}

/** The streams of one server. */
export interface OpenStreams {
  /** Adds a stream. Returns the function that removes it. @throws RequestError when there are too many. */
  add(response: ServerResponse): () => void;
  /** Called after each write. Drops a client that reads too slowly, as Redis does. */
  wrote(response: ServerResponse): void;
}

/** The most bytes that may wait for one client, and for all clients together. */
const maxWaitingBytes = 32 << 20;
const maxWaitingTogether = 128 << 20;

export function createOpenStreams(maxStreams: number): OpenStreams {
  const open = new Set<ServerResponse>();
  return {
    add(response) {
      if (open.size >= maxStreams) throw new RequestError(400, tooManyStreams);
      open.add(response);
      return () => open.delete(response);
    },
    wrote(response) {
      const waiting = response.writableLength;
      if (waiting > maxWaitingBytes) response.destroy();
      // Usually few bytes wait, and the other streams need not be added up.
      if (waiting < maxWaitingTogether / open.size) return;
      const all = [...open].sort((a, b) => b.writableLength - a.writableLength);
      if (all.reduce((sum, one) => sum + one.writableLength, 0) > maxWaitingTogether) all[0]?.destroy();
    },
  };
}

/**
 * Streams messages to one HTTP request until its client goes away, the engine's stream breaks, or the server closes.
 *
 * @throws RequestError when the subscription fails. No part of a response has been written then.
 */
export async function streamMessages(
  response: ServerResponse,
  topics: Topics,
  headers: Readonly<Record<string, string>>,
  parts: StreamParts,
): Promise<void> {
  const remove = parts.streams.add(response);
  try {
    await stream(response, topics, headers, parts);
  } finally {
    remove();
  }
}

async function stream(
  response: ServerResponse,
  topics: Topics,
  headers: Readonly<Record<string, string>>,
  { engine, timeoutMs, heartbeatMs, streams, signal }: StreamParts,
): Promise<void> {
  if (!engine.subscribe) throw new RequestError(400, "ERR the engine behind upstash-local can't subscribe");
  let ended = false;
  const write = (text: string): void => {
    if (ended) return;
    response.write(text);
    streams.wrote(response);
  };
  /** Messages that arrive before the confirmations are written, which must be first. */
  let early: string[] | undefined = [];

  const listener = {
    message: (message: Message) => (early ? early.push(messageFrame(message)) : write(messageFrame(message))),
    interrupted: () => response.destroy(),
  };
  const subscription: Subscription = await engine
    .subscribe(topics, listener, { timeoutMs, signal })
    .catch(engineFailure);

  const heartbeat = setInterval(() => write(": heartbeat\n\n"), heartbeatMs);
  try {
    response.writeHead(200, {
      ...headers,
      "content-type": "text/event-stream",
      "cache-control": "no-cache, no-transform",
      connection: "close",
    });
    for (const frame of [...confirmations(topics), ...early]) write(frame);
    early = undefined;
    await aborted(signal);
  } finally {
    ended = true;
    clearInterval(heartbeat);
    response.end();
    await subscription.close();
  }
}

function confirmations({ channels = [], patterns = [] }: Topics): string[] {
  const seen = new Set<string>();
  const confirm = (verb: string, name: string): string => frame(verb, name, String(seen.add(`${verb} ${name}`).size));
  return [
    ...channels.map((channel) => confirm("subscribe", channel)),
    ...patterns.map((pattern) => confirm("psubscribe", pattern)),
  ];
}

function messageFrame({ channel, pattern, data }: Message): string {
  const payload = typeof data === "string" ? data : Buffer.from(data).toString("utf8");
  return pattern === undefined ? frame("message", channel, payload) : frame("pmessage", pattern, channel, payload);
}

/**
 * One event on one line. The form has no way to write a line break, and clients read every line that begins with `data:
 * ` as an event of its own, so a break inside a payload would lose its rest or forge an event. It becomes a space,
 * which leaves JSON what it was.
 */
const frame = (...parts: readonly string[]): string => `data: ${parts.join(",").replace(/\r\n|\r|\n/g, " ")}\n\n`;
