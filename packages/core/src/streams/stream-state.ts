import { type Claim, createClaim } from "../claims/claim.ts";
import type { TransportError } from "../errors/transport-error.ts";
import type { Message, Transport } from "../ports/transport.ts";
import { type Confirmations, createConfirmations } from "./confirmations.ts";
import {
  createHeartbeat,
  createHeartbeatTimer,
  type Heartbeat,
  type HeartbeatTimer,
  type StreamSettings,
} from "./heartbeat.ts";
import { type LiveStream, type StreamListener, silentError, vanishedError } from "./open-stream.ts";
import { idOf, type Loss, type Restoration, type Topic } from "./topic.ts";
import { createWantedTopics, type WantedTopics } from "./wanted-topics.ts";

/** What a reconnecting stream is made for. */
export interface StreamParts {
  /** Hears the server alone. */
  readonly primary: Transport;
  /**
   * Hears this process too, while the server is away. The same as `primary` where nothing stands in for the server. It
   * may change once, when the first full listener comes; so may the settings.
   */
  readonly whole: () => Transport;
  readonly settings: () => StreamSettings;
  readonly listener: ReconnectingStreamListener;
  /** Whether all listeners of a topic are `serverOnly`. */
  readonly isServerOnly: (topic: Topic) => boolean;
}

export interface ReconnectingStreamListener {
  message(message: Message): void;
  lost(topics: readonly Topic[], loss: Loss): void;
  restored(topics: readonly Topic[], back: Restoration): void;
  connection(change: StreamChange): void;
  /** The transport was closed: nothing will be heard any more. */
  over(): void;
}

/** What has happened to the stream through which this process listens. */
export interface StreamChange {
  /** `"degraded"`: the primary is away, and only messages of this process are heard. */
  readonly state: "connected" | "disconnected" | "degraded";
  readonly at: Date;
  /** Why it broke. */
  readonly reason?: string;
}

/** The state of a reconnecting stream, and the transitions between `down` and `live`. */
export interface StreamState extends Pick<StreamParts, "primary" | "whole" | "settings" | "isServerOnly"> {
  readonly wanted: WantedTopics;
  readonly confirmations: Confirmations;
  readonly heartbeat: Heartbeat;
  readonly timer: HeartbeatTimer;
  readonly live: LiveStream | undefined;
  listenerOf(stream: LiveStream): StreamListener;
  /** Counts an attempt to open a stream. @returns how many have failed in a row before it. */
  countAttempt(): number;
  /** `down` → `live`: a stream was opened, which hears these topics. */
  opened(stream: LiveStream, topics: readonly Topic[]): void;
  /** `live` → `live`: another stream has taken the place of the live one. */
  replaced(stream: LiveStream): void;
  /** `live` → `down`: nothing is wanted any more. */
  close(): void;
  /** `live` → `down`, where the call within which the stream lived has vanished. */
  breakIfVanished(): void;
  /** The topics of this stream are lost: reports it for those that were heard before. */
  lost(stream: LiveStream, error: TransportError): void;
  /** The topics are heard from now on: reports those that had been lost, and resolves those that are waited for. */
  confirm(topics: readonly Topic[], back: Restoration): void;
  refuse(topics: readonly Topic[], error: unknown): void;
  /** The transport was closed. */
  giveUp(error: TransportError): void;
}

/** `attempts`: so many to open a stream have failed in a row. */
type State =
  | { readonly is: "down"; readonly attempts: number }
  | { readonly is: "live"; readonly attempts: number; readonly openedMs: number; readonly open: Open };

interface Open {
  readonly stream: LiveStream;
  /** Held by the call within which the stream lives: on the edge the stream ends with it, without a word. */
  readonly holder: Claim;
}

/** A stream that has lived for so long is reliable: its end is a new failure. */
const steadyMs = 1_000;

/** @param onDown - Called when a stream broke, and another must be opened. */
export function createStreamState(parts: StreamParts, onDown: () => void): StreamState {
  const { primary, whole, settings, listener, isServerOnly } = parts;
  const wanted = createWantedTopics();
  const confirmations = createConfirmations();
  const heartbeat = createHeartbeat(primary, settings);
  let state: State = { is: "down", attempts: 0 };

  const go = (next: State): void => {
    if (state.is === "live") state.open.holder.release();
    state = next;
    const stream = self.live;
    wanted.compare(stream?.topics, stream ? heartbeat.topics(stream.provenMs.keys()) : []);
  };
  const open = (stream: LiveStream): Open => ({ stream, holder: createClaim({ renewMs: 1_000 }) });
  const breakOff = (stream: LiveStream, error: TransportError): void => {
    stream.close();
    if (state.is !== "live" || self.live !== stream) return;
    go({ is: "down", attempts: performance.now() - state.openedMs >= steadyMs ? 0 : state.attempts });
    timer.stop();
    listener.connection({ state: "disconnected", at: new Date(), reason: `${error.kind}: ${error.message}` });
    self.lost(stream, error);
    if (error.kind === "closed") self.giveUp(error);
    else onDown();
  };
  const timer = createHeartbeatTimer(settings, async () => {
    const stream = self.live;
    if (!stream || stream.degraded || isLocal(whole()) || wanted.all().every(isServerOnly)) return;
    const expected = heartbeat.kindsOn(stream).map((kind) => ({ stream, kind }));
    try {
      const sentMs = await heartbeat.ask(expected);
      if (sentMs === undefined) return breakOff(stream, silentError(stream.via));
      for (const { kind } of expected) stream.provenMs.set(kind, sentMs);
    } catch {
      // A nonce that could not be published says nothing about the stream. The next one may.
    }
  });

  const self: StreamState = {
    ...{ primary, whole, settings, isServerOnly, wanted, confirmations, heartbeat, timer },
    get live() {
      return state.is === "live" ? state.open.stream : undefined;
    },
    listenerOf: (stream) => ({ message: listener.message, broken: (error) => breakOff(stream, error) }),
    countAttempt() {
      const { attempts } = state;
      state = { ...state, attempts: attempts + 1 };
      return attempts;
    },
    opened(stream, topics) {
      go({ is: "live", attempts: state.attempts, openedMs: performance.now(), open: open(stream) });
      listener.connection({ state: stream.degraded ? "degraded" : "connected", at: new Date() });
      self.confirm(topics, restorationBy(stream));
      timer.start();
      stream.attend(self.listenerOf(stream));
    },
    replaced(stream) {
      if (state.is !== "live") return;
      go({ ...state, open: open(stream) });
      timer.start();
    },
    close() {
      timer.stop();
      self.live?.close();
      go({ is: "down", attempts: state.attempts });
    },
    breakIfVanished() {
      if (state.is !== "live" || state.open.holder.isHeld) return;
      const { stream } = state.open;
      breakOff(stream, vanishedError(stream.via));
    },
    lost(stream, error) {
      for (const [kind, sinceMs] of stream.provenMs) {
        const topics = [...stream.topics.values()].filter((topic) => topic.kind === kind);
        listener.lost(topics.filter(confirmations.isEstablished), { sinceMs, error });
      }
    },
    confirm(topics, back) {
      const known = topics.filter(confirmations.isEstablished);
      if (known.length > 0) listener.restored(known, back);
      for (const topic of topics) if (wanted.has(idOf(topic))) confirmations.establish(topic);
      confirmations.resolve(topics, back);
    },
    refuse(topics, error) {
      for (const topic of topics) wanted.delete(topic);
      confirmations.reject(topics, error);
    },
    giveUp(error) {
      self.refuse(wanted.all(), error);
      listener.over();
    },
  };
  return self;
}

/** From now on the topics of this stream are heard. */
export const restorationBy = ({ degraded }: LiveStream): Restoration => ({ atMs: Date.now(), degraded });

/** Whether a transport is the memory of this process: its streams never die in silence. */
const isLocal = ({ status }: Transport): boolean => status?.currentBackend === "local" && !status.outage;
