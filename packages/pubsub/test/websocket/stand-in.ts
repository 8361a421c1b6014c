import type { ChannelSubscription, Position } from "../../src/types.ts";
import type { BridgePubSub, BridgeSubscribeOptions, ServerSocket } from "../../src/websocket.ts";

/**
 * A channel in memory, whose subscribers each hear at a pace of their own: the order of events is the test's to choose.
 */
export interface PacedChannel extends BridgePubSub {
  publish(data: unknown, options?: { readonly replay?: boolean }): void;
  /** Forgets all but the newest messages of the history. */
  trim(keep: number): void;
  /**
   * Hands one subscriber, of those that have not heard everything, the next that is for it.
   * @returns whether there was one
   */
  step(pick: number): boolean;
  readonly subscribers: number;
  /** Everything to everyone. */
  settle(): Promise<void>;
}

interface Published {
  readonly data: unknown;
  readonly position?: Position;
}

interface Hearer {
  readonly options: BridgeSubscribeOptions;
  readonly waiting: (() => void)[];
  position: Position | undefined;
}

export function pacedChannel(): PacedChannel {
  const epoch = 1;
  let history: Published[] = [];
  let nextSeq = 0;
  const hearers = new Set<Hearer>();

  const hand = (hearer: Hearer, { data, position }: Published) =>
    hearer.waiting.push(() => {
      if (position) hearer.position = position;
      hearer.options.onMessage({ channel: "c", data, ...(position && { position }) });
    });

  const step = (pick: number): boolean => {
    const ready = [...hearers].filter(({ waiting }) => waiting.length > 0);
    const next = ready[pick % Math.max(1, ready.length)]?.waiting.shift();
    next?.();
    return next !== undefined;
  };

  return {
    async subscribe(channel, options): Promise<ChannelSubscription> {
      const { after } = options;
      const hearer: Hearer = { options, waiting: [], position: typeof after === "object" ? after : undefined };
      await Promise.resolve();
      if (after !== undefined) {
        const from = after === "beginning" ? 0 : after.seq + 1;
        const kept = history.filter(({ position }) => position && position.seq >= from);
        const missed = nextSeq - from - kept.length;
        if (missed > 0 && after !== "beginning") {
          const now = new Date();
          hearer.waiting.push(() => options.onGap({ channel, from: now, to: now, missed, reason: "trimmed" }));
        }
        for (const message of kept) hand(hearer, message);
      } else if (options.replay && nextSeq > 0) {
        hearer.position = { epoch, seq: nextSeq - 1 };
      }
      hearers.add(hearer);
      await Promise.resolve();
      return {
        names: [channel],
        get position() {
          return hearer.position;
        },
        async close() {
          hearers.delete(hearer);
        },
      };
    },
    publish(data, { replay = true } = {}) {
      const message: Published = replay ? { data, position: { epoch, seq: nextSeq++ } } : { data };
      if (replay) history.push(message);
      for (const hearer of hearers) hand(hearer, message);
    },
    trim(keep) {
      history = keep === 0 ? [] : history.slice(-keep);
    },
    step,
    get subscribers() {
      return hearers.size;
    },
    async settle() {
      for (let quiet = 0; quiet < 5; quiet++) {
        while (step(0)) quiet = 0;
        await Promise.resolve();
      }
    },
  };
}

type Frame = { readonly type: string } & Record<string, unknown>;

/** A socket whose other side reads when the test says so. */
export interface PacedSocket extends ServerSocket {
  bufferedAmount: number;
  readyState: number;
  /** Everything that was sent, read or not. */
  readonly frames: Frame[];
  readonly closed: { code: number | undefined }[];
  hear(frame: unknown): void;
}

export function pacedSocket(): PacedSocket {
  const listeners: { message?: (event: { readonly data: unknown }) => void; close?: () => void; error?: () => void } =
    {};
  return {
    bufferedAmount: 0,
    readyState: 1,
    frames: [],
    closed: [],
    send(text) {
      this.bufferedAmount += text.length;
      this.frames.push(JSON.parse(text));
    },
    close(code) {
      this.closed.push({ code });
      this.readyState = 3;
      listeners.close?.();
    },
    addEventListener(type: "message" | "close" | "error", listener: (event: { readonly data: unknown }) => void) {
      Object.assign(listeners, { [type]: listener });
    },
    hear(frame) {
      listeners.message?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
    },
  };
}
