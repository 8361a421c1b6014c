import type { TransportError } from "../errors/transport-error.ts";
import type { Message, Transport } from "../ports/transport.ts";
import type { Heartbeat } from "./heartbeat.ts";
import { type LiveStream, openStream, type StreamListener } from "./open-stream.ts";
import { idOf, kindOf, type Topic, type TopicKind, topicOf } from "./topic.ts";

/** A stream that has been opened to take the place of another. */
export interface Migration {
  readonly stream: LiveStream;
  /** Whether each message that either stream hears is handed out exactly once; otherwise some may be missing. */
  readonly isSeamless: boolean;
  /** Makes the new stream hand out its messages, beginning with those that were held back. */
  begin(): void;
}

export interface MigrationParts {
  /** Opens the new stream. */
  readonly transport: Transport;
  readonly timeoutMs: number;
  readonly heartbeat: Heartbeat;
  readonly from: LiveStream;
  /** What the new stream listens to besides. */
  readonly more: readonly Topic[];
  /** The listener of a stream that is not being migrated. */
  readonly listenerOf: (stream: LiveStream) => StreamListener;
}

/**
 * Opens a stream that listens to more topics than another, where the other can't grow. Both hear a nonce. Redis hands
 * messages to all its clients in one order, so the nonce splits time at the same point for both: the old stream hands
 * out what came before it, the new stream what comes after. A kind of topic for which the old stream hears no heartbeat
 * can't be split like that: then the migration is not seamless.
 *
 * @throws TransportError when the new stream can't be opened; the old one then goes on as before.
 */
export async function migrateStream(parts: MigrationParts): Promise<Migration> {
  const { transport, timeoutMs, heartbeat, from, more, listenerOf } = parts;
  const added = more.filter((topic) => !from.topics.has(idOf(topic)));
  const stream = await openStream({ transport, timeoutMs, topics: [...from.topics.values(), ...added], heartbeat });
  const [old, next] = [listenerOf(from), listenerOf(stream)];
  const kinds = [...from.provenMs.keys()];
  /** The kinds of which each stream has heard the nonce. */
  const split = { old: new Set<TopicKind>(), next: new Set<TopicKind>() };
  /** Messages that the new stream hands out once it begins. */
  const held: Message[] = [];
  /** What the old stream hears after the nonce: the new stream hands it out, unless the migration fails. */
  const afterwards: Message[] = [];
  let failure: TransportError | undefined;

  from.attend({
    ...old,
    message(message) {
      if (split.old.has(kindOf(message))) afterwards.push(message);
      else old.message(message);
    },
  });
  stream.attend({
    message(message) {
      const isForOld = from.topics.has(topicOf(message)) && !split.next.has(kindOf(message));
      if (!isForOld) held.push(message);
    },
    broken(error) {
      failure = error;
    },
  });
  const expected = kinds.flatMap((kind) => [
    { stream: from, kind, onEcho: () => void split.old.add(kind) },
    { stream, kind, onEcho: () => void split.next.add(kind) },
  ]);
  // A stream that hears this process alone can't take over from one that hears the server.
  const canSplit = heartbeat.kindsOn(from).length === kinds.length && (from.degraded || !stream.degraded);
  // A nonce that could not be published counts as not heard.
  const sentMs = canSplit ? await heartbeat.ask(expected).catch(() => undefined) : undefined;
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
