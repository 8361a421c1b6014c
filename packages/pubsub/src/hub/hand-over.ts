import type { Message, Transport, TransportError } from "@continuum-cache/core";
import { openStream, type Stream, type StreamListener } from "./open-stream.ts";
import type { Probe } from "./probe.ts";
import { idOf, type Topic, type TopicKind, topicOf } from "./topic.ts";

/** A stream that can take the place of another. */
export interface Successor {
  readonly stream: Stream;
  /** Whether every message that either heard is told exactly once; else some may be missing. */
  readonly isSeamless: boolean;
  /** From now on it tells by itself, first what has been held back. */
  begin(): void;
}

export interface HandOverParts {
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly probe: Probe;
  readonly from: Stream;
  readonly more: readonly Topic[];
  /** Who attends to a stream that is nobody's successor. */
  readonly listenerOf: (stream: Stream) => StreamListener;
}

/**
 * Opens a stream that listens to more than another did, for transports whose streams can't grow. Both hear a nonce, which
 * parts time for both alike, since Redis hands messages to all in one order: what came before it is told by the old
 * stream, what comes behind it by the new one.
 *
 * @throws TransportError when the new stream can't be had; the old one then goes on as before.
 */
export async function handOver(parts: HandOverParts): Promise<Successor> {
  const { transport, timeoutMs, probe, from, more, listenerOf } = parts;
  const kinds = [...from.provenMs.keys()];
  const added = more.filter((topic) => !from.topics.has(idOf(topic)));
  const stream = await openStream({ transport, timeoutMs, topics: [...from.topics.values(), ...added] });
  const [old, next] = [listenerOf(from), listenerOf(stream)];
  /** The kinds of which each side has heard the nonce. */
  const parted = { old: new Set<TopicKind>(), next: new Set<TopicKind>() };
  const held: Message[] = [];
  /** What the old one hears behind the nonce: it is the new one's to tell, unless that fails. */
  const afterwards: Message[] = [];
  let failure: TransportError | undefined;

  from.attend({
    ...old,
    message(message) {
      if (parted.old.has(kindOf(message))) afterwards.push(message);
      else old.message(message);
    },
  });
  stream.attend({
    message(message) {
      const isTheirs = from.topics.has(topicOf(message)) && !parted.next.has(kindOf(message));
      if (isTheirs) probe.hears(stream, message);
      else held.push(message);
    },
    broken(error) {
      failure = error;
    },
  });
  const expected = kinds.flatMap((kind) => [
    { stream: from, kind, onEcho: () => void parted.old.add(kind) },
    { stream, kind, onEcho: () => void parted.next.add(kind) },
  ]);
  // What hears this process alone can't take anything over. A nonce that could not be published is as good as unheard.
  const isLess = stream.degraded && !from.degraded;
  const sentMs = isLess ? undefined : await probe.ask(expected).catch(() => undefined);
  if (failure) {
    for (const message of afterwards) old.message(message);
    from.attend(old);
    throw failure;
  }
  if (sentMs !== undefined) for (const kind of kinds) stream.provenMs.set(kind, sentMs);
  return {
    stream,
    isSeamless: sentMs !== undefined,
    begin() {
      for (const message of held) next.message(message);
      stream.attend(next);
      if (failure) next.broken(failure);
    },
  };
}

const kindOf = ({ pattern }: Message): TopicKind => (pattern === undefined ? "channel" : "pattern");
