import { type Bulk, legible } from "../values/bulk.ts";
import { refusal } from "../values/refusals.ts";
import type { Stream } from "../values/stream.ts";
import {
  type Consumer,
  consumerOf,
  createConsumer,
  type Group,
  groupOf,
  newConsumerBytes,
} from "../values/stream-group.ts";
import type { CommandContext } from "./command-row.ts";
import { streamAt } from "./streams.ts";

/** A group and the stream that it reads. */
export interface GroupAt {
  readonly key: Bulk;
  readonly stream: Stream;
  readonly group: Group;
}

/** @throws CommandError NOGROUP when there is no such key or group, WRONGTYPE when the key holds no stream. */
export function expectGroup(context: CommandContext, key: Bulk, name: Bulk, where = ""): GroupAt {
  const stream = streamAt(context, key);
  const group = stream && groupOf(stream, name);
  if (group) return { key, stream, group };
  throw refusal(`NOGROUP No such key '${legible(key)}' or consumer group '${legible(name)}'${where}`);
}

/**
 * The consumer of this name, created if it does not exist, and seen now. Nothing is changed if it does not fit
 * together with the entries that it is about to be given.
 *
 * @param moreBytes - The size of those entries.
 */
export function consumerHere(
  { keyspace, nowMs }: CommandContext,
  { key, stream, group }: GroupAt,
  name: Bulk,
  moreBytes: number,
): Consumer {
  const known = consumerOf(group, name);
  keyspace.assertFits(key, stream.bytes + moreBytes + (known ? 0 : newConsumerBytes(name)));
  const consumer = known ?? createConsumer(stream, group, name, nowMs);
  consumer.seenMs = nowMs;
  return consumer;
}
