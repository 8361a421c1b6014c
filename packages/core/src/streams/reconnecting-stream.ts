import { createBackgroundTask } from "../claims/background-task.ts";
import { isTransportError } from "../errors/transport-error.ts";
import { createCancellableSleep } from "../resilience/cancellable-sleep.ts";
import { createGrowStream, isUnauthorized } from "./grow-stream.ts";
import { type LiveStream, openStream } from "./open-stream.ts";
import { createStreamState, restorationBy, type StreamParts } from "./stream-state.ts";
import { idOf, kindsOf, type Restoration, type Topic } from "./topic.ts";
import type { WantedTopics } from "./wanted-topics.ts";

/**
 * Keeps one stream open while there is something to listen to: opens it, opens it again when it breaks, lets it grow
 * and shrink.
 *
 * It is in one of two states. `down`: there is no stream, and the next step opens one. `live`: there is a stream, and
 * the next step adds missing topics, removes surplus ones, or closes it. `nextStep` chooses the step. One run performs
 * the steps, so no two overlap. A stream that breaks moves it from `live` to `down` at any time: the transport says so,
 * a heartbeat has no echo, or, on the edge, the request that opened it has ended. A step that was in progress notices
 * that afterwards.
 */
export interface ReconnectingStream {
  /** The length of its topics' names in an address, in bytes. */
  readonly topicBytes: number;
  /** Resolves once the topic is heard. @throws what kept the server from confirming it, the first time. */
  want(topic: Topic): Promise<Restoration>;
  /** A stream of which nothing is wanted any more closes for good. */
  unwant(topic: Topic): void;
  /** Takes over from a call that has vanished: its stream, which is silent, and the steps that it was performing. */
  takeOver(): void;
}

export function createReconnectingStream(parts: StreamParts): ReconnectingStream {
  const { settings, isServerOnly } = parts;
  const state = createStreamState(parts, () => steps.start());
  const { wanted, confirmations, heartbeat } = state;
  const grow = createGrowStream(state);
  const pauses = createCancellableSleep();

  const open = async (topics: readonly Topic[]): Promise<void> => {
    const needsServerOnly = topics.every(isServerOnly);
    const transport = needsServerOnly ? parts.primary : parts.whole();
    const own = needsServerOnly ? [] : heartbeat.topics(kindsOf(topics));
    const { timeoutMs } = settings();
    const stream = await openStream({ transport, timeoutMs, topics: [...topics, ...own], heartbeat });
    state.opened(stream, topics);
  };
  /** Waits longer after each failure, and for a random part of that time, so that not all processes come at once. */
  const reopen = async (topics: readonly Topic[]): Promise<void> => {
    const longestMs = Math.min(settings().maxReconnectWaitMs, 50 * 2 ** state.countAttempt());
    if (!(await pauses.wait(Math.random() * longestMs, undefined))) return;
    try {
      await open(topics);
    } catch (error) {
      // Other failures are no news: the listeners know that their topics are lost.
      if (isTransportError(error) && error.kind === "closed") state.giveUp(error);
    }
  };
  const openOrRefuse = async (topics: readonly Topic[]): Promise<void> => {
    try {
      await open(topics);
    } catch (error) {
      const [first, ...others] = topics;
      // One of them may be forbidden: each topic that is refused alone brings the others nearer.
      if (first && others.length > 0 && isUnauthorized(error)) await openOrRefuse([first]);
      else state.refuse(topics, error);
    }
  };
  const perform = async (step: Step): Promise<void> => {
    if (step.do === "open") await openOrRefuse(step.topics);
    else if (step.do === "reopen") await reopen(step.topics);
    else if (step.do === "grow") await grow(step.stream, step.topics);
    else if (step.do === "close") state.close();
    else if (step.do === "shrink") {
      wanted.removed(step.topics);
      // Messages of these topics are skipped until then, and a stream that fails reports that itself.
      await step.stream.remove?.(step.topics).catch(() => {});
    }
  };
  const steps = createBackgroundTask(async (isCurrent) => {
    // Topics that are wanted in the same tick are added together.
    await Promise.resolve();
    while (isCurrent()) {
      const step = nextStep(wanted, state.live, confirmations.isEstablished);
      await perform(step);
      if (step.do === "rest" || step.do === "close") return;
    }
  });
  /** Whether a stream that hears a topic gives all listeners of the topic what they need. */
  const suffices = (stream: LiveStream, topic: Topic): boolean =>
    isServerOnly(topic) || (stream.via === parts.whole() && heartbeat.kindsOn(stream).includes(topic.kind));

  return {
    get topicBytes() {
      return wanted.bytes;
    },
    want(topic) {
      wanted.add(topic);
      const { live } = state;
      if (live?.topics.has(idOf(topic))) {
        if (suffices(live, topic)) {
          confirmations.establish(topic);
          return Promise.resolve(restorationBy(live));
        }
        wanted.renew(topic);
      }
      const confirmed = confirmations.wait(topic);
      steps.start();
      return confirmed;
    },
    unwant(topic) {
      wanted.delete(topic);
      confirmations.forget(topic);
      if (wanted.size === 0) pauses.end();
      steps.start();
    },
    takeOver() {
      state.breakIfVanished();
      steps.takeOver();
    },
  };
}

/** What a reconnecting stream does next. */
export type Step =
  | { readonly do: "rest" | "close" }
  /** Opens the first stream; topics that the server refuses are refused. */
  | { readonly do: "open"; readonly topics: readonly Topic[] }
  /** Opens another stream for topics that were heard before, after a wait. */
  | { readonly do: "reopen"; readonly topics: readonly Topic[] }
  | { readonly do: "grow" | "shrink"; readonly stream: LiveStream; readonly topics: readonly Topic[] };

export function nextStep(
  wanted: Pick<WantedTopics, "size" | "all" | "missing" | "surplus">,
  stream: LiveStream | undefined,
  isEstablished: (topic: Topic) => boolean,
): Step {
  if (wanted.size === 0) return { do: "close" };
  if (!stream) {
    const topics = wanted.all();
    const before = topics.filter(isEstablished);
    return before.length > 0 ? { do: "reopen", topics: before } : { do: "open", topics };
  }
  const missing = wanted.missing();
  if (missing.length > 0) return { do: "grow", stream, topics: missing };
  const surplus = stream.remove ? wanted.surplus() : [];
  return surplus.length > 0 ? { do: "shrink", stream, topics: surplus } : { do: "rest" };
}
