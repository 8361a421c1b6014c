import { type Claim, createClaim } from "../claims/claim.ts";
import type { Message, Transport } from "../ports/transport.ts";
import type { LiveStream } from "./open-stream.ts";
import { idOf, kindOf, type Topic, type TopicKind } from "./topic.ts";

/** How a process listens. Listeners with the same settings share a stream. */
export interface StreamSettings {
  /** How long the server may take to confirm, in milliseconds. */
  readonly timeoutMs: number;
  /** How often a stream must prove that it is alive. */
  readonly heartbeatMs: number;
  /** How long the echo of a heartbeat may take. */
  readonly heartbeatTimeoutMs: number;
  /** The channel of the heartbeats, before a random mark of this process. */
  readonly heartbeatChannel: string;
  /** The longest wait before another attempt to reconnect. */
  readonly maxReconnectWaitMs: number;
}

/**
 * Proves that a stream is alive: publishes a nonce, and waits until the stream hears it. A socket whose other end is
 * gone, and a stream that has silently stopped, look like one on which nothing is published; only an echo tells them
 * apart.
 */
export interface Heartbeat {
  /** The topics through which a stream hears its echoes: one for each kind. */
  topics(kinds: Iterable<TopicKind>): Topic[];
  /** The kinds for which this stream hears its echoes. */
  kindsOn(stream: LiveStream): TopicKind[];
  /** Messages of a channel with this ending are echoes: a stream takes them to `hears`, and hands out no echo. */
  readonly ending: string;
  hears(stream: object, echo: Message): void;
  /**
   * Asks for echoes of the given streams and kinds.
   *
   * @returns when the nonce was sent, in milliseconds since 1970: everything published before has been heard.
   *   `undefined` when an echo did not come.
   * @throws what kept the nonce from being published.
   */
  ask(expected: readonly Expected[]): Promise<number | undefined>;
}

/** A stream, and the kind of topic through which it must hear the nonce. */
export interface Expected {
  readonly stream: object;
  readonly kind: TopicKind;
  /** Called as soon as it hears the nonce. */
  readonly onEcho?: () => void;
}

/** @param primary - Publishes the nonces: a stand-in's echo would prove nothing of the server. */
export function createHeartbeat(primary: Transport, settings: () => StreamSettings): Heartbeat {
  /** Random enough for no other channel to end with it. */
  const own = [...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36)).join("");
  const waiting = new Map<string, (stream: object, kind: TopicKind) => void>();
  let count = 0;
  const topicOf = (kind: TopicKind): Topic => ({ kind, name: `${settings().heartbeatChannel}:${own}` });

  return {
    topics: (kinds) => [...kinds].map(topicOf),
    kindsOn: ({ provenMs, topics }) => [...provenMs.keys()].filter((kind) => topics.has(idOf(topicOf(kind)))),
    ending: own,
    hears(stream, echo) {
      // A message that was published within this process proves nothing of the server.
      if (!echo.degraded) waiting.get(String(echo.data))?.(stream, kindOf(echo));
    },
    async ask(expected) {
      const nonce = (count++).toString(36);
      const { heartbeatTimeoutMs: timeoutMs } = settings();
      const left = new Set(expected);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const echoed = new Promise<boolean>((resolve) => {
        waiting.set(nonce, (stream, kind) => {
          for (const one of left) {
            if (one.stream !== stream || one.kind !== kind) continue;
            left.delete(one);
            one.onEcho?.();
          }
          if (left.size === 0) resolve(true);
        });
        timer = setTimeout(resolve, 2 * timeoutMs, false);
      });
      const sentMs = Date.now();
      try {
        const [reply] = await primary.send([["PUBLISH", topicOf("channel").name, nonce]], { timeoutMs });
        if (reply instanceof Error) throw reply;
        return (await echoed) ? sentMs : undefined;
      } finally {
        clearTimeout(timer);
        waiting.delete(nonce);
      }
    },
  };
}

/** Calls a function every now and then, between `start` and `stop`. */
export interface HeartbeatTimer {
  start(): void;
  stop(): void;
  /** Calls the function at once. */
  hurry(): void;
}

/** @param beat - Must not reject. */
export function createHeartbeatTimer(settings: () => StreamSettings, beat: () => Promise<void>): HeartbeatTimer {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let beating: Claim | undefined;

  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const start = (waitMs: number): void => {
    stop();
    timer = setTimeout(run, waitMs);
    // Where timers keep a process alive this one must not: the stream itself does.
    (timer as { unref?(): void }).unref?.();
  };
  const run = async (): Promise<void> => {
    if (beating?.isHeld) return;
    const own = createClaim();
    beating = own;
    await beat();
    own.release();
    if (timer !== undefined) start(jittered());
  };
  /** Jitter keeps the processes of a fleet that started together from sending their heartbeats together. */
  const jittered = (): number => settings().heartbeatMs * (0.9 + Math.random() * 0.2);

  return { start: () => start(jittered()), stop, hurry: () => start(0) };
}
