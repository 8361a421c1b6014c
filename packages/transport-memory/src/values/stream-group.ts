import { TextMap } from "@continuum-cache/core/kit";
import { type Bulk, bytesOf, footprint, idOf } from "./bulk.ts";
import { allItems, countOf, createIdOrder, type IdOrder, insertItem, itemWith, removeItem } from "./id-order.ts";
import { addedUpTo, hasGapFrom, type Stream, type StreamEntry } from "./stream.ts";
import { compareIds, type StreamId } from "./stream-id.ts";

/** What a group counts on top of its name. */
const groupOverheadBytes = 600;
/** What a consumer counts on top of its name. */
const consumerOverheadBytes = 384;
/** What each entry counts that was delivered and not acknowledged. */
export const pendingBytes = 160;

/** Consumers that share the entries of a stream. Only the functions below change it and its parts. */
export interface Group {
  readonly name: Bulk;
  lastDelivered: StreamId;
  /** How many entries it has read; `undefined` if unknown. */
  read: number | undefined;
  /** What was delivered and not acknowledged. */
  readonly pending: IdOrder<Pending>;
  /** By the ids of their names. */
  readonly consumers: TextMap<Consumer>;
}

export interface Consumer {
  readonly name: Bulk;
  /** When its last command came, in milliseconds since 1970. */
  seenMs: number;
  /** His own part of the group's. */
  readonly pending: IdOrder<Pending>;
}

/** An entry that a consumer has been given. */
export interface Pending {
  readonly id: StreamId;
  consumer: Consumer;
  deliveredMs: number;
  deliveries: number;
}

export function groupOf({ groups }: Stream, name: Bulk): Group | undefined {
  return groups?.get(idOf(name));
}

export function consumerOf({ consumers }: Group, name: Bulk): Consumer | undefined {
  return consumers.get(idOf(name));
}

/** Groups or consumers by the bytes of their names, as Redis lists them. */
export function byName<Named extends { readonly name: Bulk }>(
  all: Pick<TextMap<Named>, "values"> | undefined,
): Named[] {
  return [...(all?.values() ?? [])].sort((one, other) => compareBytes(bytesOf(one.name), bytesOf(other.name)));
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, index) => byte !== other[index]);
  return at < 0 || at >= other.length ? one.length - other.length : (one[at] as number) - (other[at] as number);
}

/** What a group, or a consumer, of this name would count. */
export const newGroupBytes = (name: Bulk): number => groupOverheadBytes + footprint(name);
export const newConsumerBytes = (name: Bulk): number => consumerOverheadBytes + footprint(name);

/** @param name - It must not be taken. */
export function createGroup(stream: Stream, name: Bulk, lastDelivered: StreamId, read: number | undefined): void {
  stream.groups ??= new TextMap();
  stream.groups.set(idOf(name), { name, lastDelivered, read, pending: createIdOrder(), consumers: new TextMap() });
  stream.bytes += newGroupBytes(name);
}

export function removeGroup(stream: Stream, group: Group): void {
  for (const consumer of [...group.consumers.values()]) removeConsumer(stream, group, consumer);
  stream.groups?.delete(idOf(group.name));
  stream.bytes -= newGroupBytes(group.name);
}

export function createConsumer(stream: Stream, group: Group, name: Bulk, seenMs: number): Consumer {
  const consumer: Consumer = { name, seenMs, pending: createIdOrder() };
  group.consumers.set(idOf(name), consumer);
  stream.bytes += newConsumerBytes(name);
  return consumer;
}

/** @returns how many entries the consumer had not acknowledged. No consumer has them now. */
export function removeConsumer(stream: Stream, group: Group, consumer: Consumer): number {
  const lost = allItems(consumer.pending);
  for (const pending of lost) release(stream, group, pending);
  group.consumers.delete(idOf(consumer.name));
  stream.bytes -= newConsumerBytes(consumer.name);
  return lost.length;
}

/** Gives an entry to a consumer, also if another consumer has it. */
export function assign(
  stream: Stream,
  group: Group,
  consumer: Consumer,
  { id, deliveredMs, deliveries }: Omit<Pending, "consumer">,
): void {
  const held = itemWith(group.pending, id);
  const pending = held ?? { id, consumer, deliveredMs, deliveries };
  if (held) {
    Object.assign(held, { deliveredMs, deliveries });
    if (held.consumer === consumer) return;
    removeItem(held.consumer.pending, id);
    held.consumer = consumer;
  } else {
    insertItem(group.pending, pending);
    stream.bytes += pendingBytes;
  }
  insertItem(consumer.pending, pending);
}

/** Removes an entry from the pending ones. */
export function release(stream: Stream, group: Group, { id, consumer }: Pending): void {
  removeItem(group.pending, id);
  removeItem(consumer.pending, id);
  stream.bytes -= pendingBytes;
}

/** Takes note that a group has been given an entry. */
export function moveOn(stream: Stream, group: Group, { id }: StreamEntry): void {
  if (compareIds(id, group.lastDelivered) <= 0) return;
  if (group.read !== undefined && !hasGapFrom(stream, id)) group.read++;
  else if (stream.added > 0) group.read = addedUpTo(stream, id);
  group.lastDelivered = id;
}

/** How many entries a group has not been given; `undefined` if unknown. */
export function lagOf(stream: Stream, { read, lastDelivered }: Group): number | undefined {
  if (stream.added === 0) return 0;
  const known = read !== undefined && !hasGapFrom(stream, lastDelivered) ? read : addedUpTo(stream, lastDelivered);
  return known === undefined ? undefined : stream.added - known;
}

export function pendingCount({ pending }: Group | Consumer): number {
  return countOf(pending);
}
