import type { ServerResponse } from "node:http";
import type { Message, Subscription, Topics, Transport } from "@continuum-cache/core";
import { aborted } from "./aborted.ts";
import { engineFailure } from "./engine-failure.ts";
import { RequestError } from "./request-error.ts";

/** What a stream needs. */
export interface StreamParts {
  readonly engine: Transport;
  /** How long to wait for the engine to confirm. */
  readonly timeoutMs: number;
  /** How often a comment is sent, so that nothing between here and the client takes the stream for dead. */
  readonly heartbeatMs: number;
  /** Ends the stream: its client went away, or the server closes. */
  readonly signal: AbortSignal;
}

/** A client that reads slower than messages come is let go, as Redis does, when so much waits for it. */
const maxWaitingBytes = 32 << 20;

/**
 * Listens on behalf of one HTTP request until its client goes away, the engine breaks off, or the server closes.
 *
 * @throws RequestError when nothing can be listened to; nothing has been written then.
 */
export async function streamMessages(
  response: ServerResponse,
  topics: Topics,
  headers: Readonly<Record<string, string>>,
  { engine, timeoutMs, heartbeatMs, signal }: StreamParts,
): Promise<void> {
  if (!engine.subscribe) throw new RequestError(400, "ERR the engine behind upstash-local can't subscribe");
  let ended = false;
  const write = (text: string): void => {
    if (ended) return;
    response.write(text);
    if (response.writableLength > maxWaitingBytes) response.destroy();
  };
  /** Messages may come before the confirmations have been written, which must be first. */
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
 * One event on one line. The form has no way to write a line break, and clients read every line that begins with `data: `
 * as an event of its own, so a break inside a payload would lose its rest or forge an event. It becomes a space, which
 * leaves JSON what it was.
 */
const frame = (...parts: readonly string[]): string => `data: ${parts.join(",").replace(/\r\n|\r|\n/g, " ")}\n\n`;
