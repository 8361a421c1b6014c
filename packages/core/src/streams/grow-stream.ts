import { isTransportError } from "../errors/transport-error.ts";
import type { Transport } from "../ports/transport.ts";
import { migrateStream } from "./migrate-stream.ts";
import { brokenError, type LiveStream } from "./open-stream.ts";
import { restorationBy, type StreamState } from "./stream-state.ts";
import { kindsOf, type Topic } from "./topic.ts";

/** Makes a live stream listen to more topics. Refuses those that the server refuses. Never rejects. */
export type GrowStream = (stream: LiveStream, topics: readonly Topic[]) => Promise<void>;

/**
 * A stream that can grow listens to more topics by itself. Another stream takes its place where it can't grow, and
 * where it hears the server alone and one of the topics needs this process too.
 */
export function createGrowStream(state: StreamState): GrowStream {
  const { settings, heartbeat, isServerOnly } = state;

  const grow = async (stream: LiveStream, topics: readonly Topic[]): Promise<void> => {
    const needsServerOnly = topics.every(isServerOnly);
    const heard = heartbeat.kindsOn(stream);
    // A stream hears heartbeats for each of its kinds, or for none.
    const needed = needsServerOnly && heard.length === 0 ? [] : [...stream.provenMs.keys(), ...kindsOf(topics)];
    const unheard = [...new Set(needed)].filter((kind) => !heard.includes(kind));
    const more = [...topics, ...heartbeat.topics(unheard)];
    const via = needsServerOnly ? stream.via : state.whole();
    if (!stream.add || via !== stream.via) return migrate(stream, via, topics, more);
    const askedMs = Date.now();
    await stream.add(more);
    // What was published before came before the confirmation.
    for (const kind of kindsOf(more)) {
      if (unheard.includes(kind) || !stream.provenMs.has(kind)) stream.provenMs.set(kind, askedMs);
    }
    if (state.live !== stream) throw brokenError(via);
    state.wanted.added(topics);
    state.confirm(topics, restorationBy(stream));
    // The first full listener may have asked for more frequent heartbeats.
    if (unheard.length > 0) state.timer.start();
  };

  const migrate = async (
    from: LiveStream,
    transport: Transport,
    topics: readonly Topic[],
    more: readonly Topic[],
  ): Promise<void> => {
    const { timeoutMs } = settings();
    const { listenerOf } = state;
    const next = await migrateStream({ transport, timeoutMs, heartbeat, from, more, listenerOf });
    const back = restorationBy(next.stream);
    if (state.live !== from) {
      next.stream.close();
      throw brokenError(transport);
    }
    state.replaced(next.stream);
    from.close();
    if (!next.isSeamless) {
      state.lost(from, brokenError(transport));
      state.confirm([...from.topics.values()], back);
    }
    state.confirm(topics, back);
    next.begin();
  };

  /** Adds several topics together, and one by one when the server refuses one of them. */
  const growOrRefuse: GrowStream = async (stream, topics) => {
    try {
      await grow(stream, topics);
    } catch (error) {
      // The next stream will ask for them again, within their callers' time.
      if (state.live !== stream) return;
      if (topics.length > 1 && isUnauthorized(error)) {
        for (const topic of topics) if (state.live === stream) await growOrRefuse(stream, [topic]);
        return;
      }
      state.refuse(topics, error);
      // The stream may be dead.
      if (isTransportError(error) && error.kind === "timeout") state.timer.hurry();
    }
  };
  return growOrRefuse;
}

export const isUnauthorized = (error: unknown): boolean => isTransportError(error) && error.kind === "unauthorized";
