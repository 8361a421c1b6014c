import {
  type Argument,
  type Command,
  type CommandError,
  isCommandError,
  isTransportError,
  type Reply,
  type SendOptions,
  type Transport,
} from "@continuum-cache/core";
import { createTimeSlices, errorFromRedis, type Script } from "@continuum-cache/core/kit";
import type { Bulk, Otherwise } from "@continuum-cache/transport-memory/kit";
import { absent } from "../journal/expected-states.ts";
import type { Batch, KeyChanges, KeyItem, KeyValue } from "../journal/replay-plan.ts";
import { applyChanges, markSeconds } from "./apply-changes.ts";
import { setUnlessWritten } from "./set-unless-written.ts";

/** The outcome of a batch. */
export interface BatchOutcome {
  /** How many mutations gave way to writes of other processes. */
  readonly superseded: number;
  /** How many mutations Redis refused. */
  readonly dropped: number;
  /** The values that were set. */
  readonly written: readonly KeyValue[];
  /** The errors of Redis, and their keys. */
  readonly refusals: readonly { readonly key: Bulk; readonly error: CommandError }[];
}

/** A batch of keys: one command, or a few. */
export type KeyBatch = Exclude<Batch, { kind: "invalidate" }>;

/** The commands of a batch, and how their replies are read. */
interface BatchRequest {
  readonly commands: readonly Command[];
  read(replies: readonly Reply[]): BatchOutcome;
}

/** How many keys a batch names. Each takes some microseconds. */
export const keysIn = (batch: Batch): number => (batch.kind === "invalidate" ? 0 : batch.items.length);

/**
 * Replays batches to the primary in one trip, in their order. Repeating them does no harm.
 *
 * @throws TransportError when no answer came: then all of them have to be replayed again.
 */
export async function replayBatches(
  primary: Transport,
  batches: readonly KeyBatch[],
  nowMs: number,
  options: SendOptions,
): Promise<BatchOutcome[]> {
  const requests: BatchRequest[] = [];
  const slices = createTimeSlices();
  for (const batch of batches) {
    requests.push(requestOf(batch, nowMs, primary.name));
    await slices.yieldIfDue(keysIn(batch));
  }
  // Many keys take some milliseconds to be written to a socket.
  await slices.yieldIfDue(batches.reduce((keys, batch) => keys + keysIn(batch), 0));
  const replies = await primary.send(
    requests.flatMap(({ commands }) => commands),
    options,
  );
  const outcomes: BatchOutcome[] = [];
  let at = 0;
  for (const [index, { commands, read }] of requests.entries()) {
    const outcome = read(replies.slice(at, at + commands.length));
    const single = isApart(outcome) ? singlesOf(batches[index] as KeyBatch) : [];
    outcomes.push(single.length > 1 ? await oneByOne(primary, single, nowMs, options) : outcome);
    at += commands.length;
  }
  return outcomes;
}

export const done: BatchOutcome = { superseded: 0, dropped: 0, written: [], refusals: [] };

/** Whether the keys of a batch lie in different slots of a Redis Cluster. */
const isApart = ({ refusals }: BatchOutcome): boolean => refusals.some(({ error }) => error.code === "CROSSSLOT");

function singlesOf(batch: KeyBatch): KeyBatch[] {
  switch (batch.kind) {
    case "change":
      return batch.items.map((item, index) => ({ ...batch, items: [item], id: `${batch.id}.${index}` }));
    case "set":
      return batch.items.map((item) => ({ ...batch, items: [item] }));
    default:
      return batch.items.map((item) => ({ kind: "delete", mutations: item.mutations, items: [item] }));
  }
}

async function oneByOne(
  primary: Transport,
  batches: readonly KeyBatch[],
  nowMs: number,
  options: SendOptions,
): Promise<BatchOutcome> {
  let all = done;
  for (const batch of batches) {
    const [own = done] = await replayBatches(primary, [batch], nowMs, options);
    all = {
      superseded: all.superseded + own.superseded,
      dropped: all.dropped + own.dropped,
      written: [...all.written, ...own.written],
      refusals: [...all.refusals, ...own.refusals],
    };
  }
  return all;
}

function requestOf(batch: KeyBatch, nowMs: number, transport: string): BatchRequest {
  switch (batch.kind) {
    case "delete":
      return unlink(batch.items);
    case "expire":
      return expire(batch.items);
    case "change":
      return change(batch.items, batch.id, transport);
    case "set":
      return setValues(batch.items, nowMs, transport);
  }
}

function unlink(items: readonly KeyItem[]): BatchRequest {
  return {
    commands: [["UNLINK", ...items.map(({ key }) => key)]],
    read: ([reply = null]) => (isCommandError(reply) ? refusedAll(items, reply) : done),
  };
}

function expire(items: readonly KeyChanges[]): BatchRequest {
  return {
    commands: items.flatMap(({ key, commands }) => commands.map(({ name, args }): Command => [name, key, ...args])),
    read(replies) {
      const left = [...replies];
      return refusedOf(items, ({ commands }) => left.splice(0, commands.length).filter(isCommandError));
    },
  };
}

/** For a command without an argument to replace. */
const asItIs: Otherwise = { place: -1, arg: "" };

function change(items: readonly KeyChanges[], id: string, transport: string): BatchRequest {
  const keys = items.map(({ key }) => key);
  // The mark is the first key, so those of the commands count from 2.
  const words = items.flatMap(({ commands }, index) =>
    commands.map(({ name, args, otherwise = asItIs }): Argument[] => {
      return [args.length, name, index + 2, otherwise.place + 1, otherwise.arg, ...args];
    }),
  );
  return script(applyChanges, [markFor(keys[0] ?? "", id), ...keys], [markSeconds, ...words.flat()], items, (reply) => {
    const refused = new Map(pairs(reply).map(([number, text]) => [Number(number), refusalOf(String(text), transport)]));
    let number = 0;
    return refusedOf(items, ({ commands }) => commands.flatMap(() => refused.get(number++) ?? []));
  });
}

function setValues(items: readonly KeyValue[], nowMs: number, transport: string): BatchRequest {
  const args = items.flatMap(({ value, expiry, states, absentFromMs }): Argument[] => {
    const accepted = absentFromMs <= nowMs ? [...states, absent] : states;
    return [value, expiry, accepted.length, ...accepted];
  });
  const keys = items.map(({ key }) => key);
  return script(setUnlessWritten, keys, args, items, (reply) => {
    const outcomes = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
    const refused = items.flatMap((item, index) => {
      const outcome = outcomes[index];
      return typeof outcome === "string" ? [{ ...item, error: refusalOf(outcome, transport) }] : [];
    });
    return {
      superseded: sum(items.filter((_, index) => outcomes[index] === 0)),
      dropped: sum(refused),
      written: items.filter((_, index) => outcomes[index] === 1),
      refusals: refused,
    };
  });
}

/**
 * Sent by its text: EVALSHA would take a second trip if Redis does not know it. An error of the script counts for
 * each key.
 */
function script(
  { lua }: Script,
  keys: readonly Bulk[],
  args: readonly Argument[],
  items: readonly KeyItem[],
  read: (reply: Reply) => BatchOutcome,
): BatchRequest {
  return {
    commands: [["EVAL", lua, keys.length, ...keys, ...args]],
    read: ([reply = null]) => (isCommandError(reply) ? refusedAll(items, reply) : read(reply)),
  };
}

/** An error that a script returned. @throws TransportError when it is about the server and not about the command. */
function refusalOf(text: string, transport: string): CommandError {
  const error = errorFromRedis(text, transport);
  if (isTransportError(error)) throw error;
  return error;
}

const refusedAll = (items: readonly KeyItem[], error: CommandError): BatchOutcome => ({
  ...done,
  dropped: sum(items),
  refusals: items.map(({ key }) => ({ key, error })),
});

/** Each refused command drops one mutation of its key; if all commands of a key were refused, all of its mutations. */
function refusedOf(
  items: readonly KeyChanges[],
  errorsOf: (item: KeyChanges) => readonly CommandError[],
): BatchOutcome {
  const refusals: { key: Bulk; error: CommandError }[] = [];
  let dropped = 0;
  for (const item of items) {
    const errors = errorsOf(item);
    dropped += errors.length === item.commands.length ? item.mutations : Math.min(errors.length, item.mutations);
    refusals.push(...errors.map((error) => ({ key: item.key, error })));
  }
  return { ...done, dropped, refusals };
}

function pairs(reply: Reply): [Reply, Reply][] {
  const items = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  return items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1] ?? null] as [Reply, Reply]] : []));
}

const sum = (items: readonly { readonly mutations: number }[]): number =>
  items.reduce((all, { mutations }) => all + mutations, 0);

/** The key of the mark of an applied batch. In a Redis Cluster it lies in the slot of the batch's first key. */
function markFor(key: Bulk, id: string): string {
  const text = typeof key === "string" ? key : "";
  const tag = /\{([^}]+)\}/.exec(text)?.[1] ?? text;
  return `continuum-cache:replayed:{${tag}}:${id}`;
}
