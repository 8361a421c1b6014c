import {
  type Argument,
  type Command,
  type CommandError,
  isCommandError,
  isTransportError,
  type Reply,
  type Script,
  type SendOptions,
  type Transport,
} from "@continuum-cache/core";
import { createTimeSlices, errorFromRedis } from "@continuum-cache/core/kit";
import type { Bulk, Otherwise } from "@continuum-cache/transport-memory/kit";
import { applyChanges, markSeconds } from "../journal/apply-changes.ts";
import type { Batch, KeyChanges, KeyItem, KeyValue } from "../journal/replay-plan.ts";
import { absent, setUnlessWritten } from "../journal/set-unless-written.ts";

/** What became of a batch. */
export interface BatchOutcome {
  /** How many mutations gave way to what others have written. */
  readonly superseded: number;
  /** How many mutations Redis refused. */
  readonly dropped: number;
  /** What was set. */
  readonly written: readonly KeyValue[];
  /** What Redis refused, and of which key. */
  readonly refusals: readonly { readonly key: Bulk; readonly error: CommandError }[];
}

/** Batches of single keys: each is one command, or a few. */
export type KeyBatch = Exclude<Batch, { kind: "invalidate" }>;

/** A batch on its way: its commands, and what their replies say became of it. */
interface Order {
  readonly commands: readonly Command[];
  read(replies: readonly Reply[]): BatchOutcome;
}

/** How many keys a batch names: each takes some microseconds. */
export const keysIn = (batch: Batch): number => (batch.kind === "invalidate" ? 0 : batch.items.length);

/**
 * Tells the primary some batches in one trip, in their order. They may be told twice without harm.
 * @throws TransportError when no answer came: then all of them have to be told again.
 */
export async function replayBatches(
  primary: Transport,
  batches: readonly KeyBatch[],
  nowMs: number,
  options: SendOptions,
): Promise<BatchOutcome[]> {
  const orders: Order[] = [];
  const slices = createTimeSlices();
  for (const batch of batches) {
    orders.push(orderOf(batch, nowMs, primary.name));
    await slices.yieldIfDue(keysIn(batch));
  }
  // Many keys take some milliseconds to be written to a socket.
  await slices.yieldIfDue(batches.reduce((keys, batch) => keys + keysIn(batch), 0));
  const replies = await primary.send(
    orders.flatMap(({ commands }) => commands),
    options,
  );
  const outcomes: BatchOutcome[] = [];
  let at = 0;
  for (const [index, { commands, read }] of orders.entries()) {
    const outcome = read(replies.slice(at, at + commands.length));
    const single = isApart(outcome) ? singlesOf(batches[index] as KeyBatch) : [];
    outcomes.push(single.length > 1 ? await oneByOne(primary, single, nowMs, options) : outcome);
    at += commands.length;
  }
  return outcomes;
}

export const done: BatchOutcome = { superseded: 0, dropped: 0, written: [], refusals: [] };

/** Whether a Redis Cluster keeps the keys of a batch in different places. */
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

function orderOf(batch: KeyBatch, nowMs: number, transport: string): Order {
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

function unlink(items: readonly KeyItem[]): Order {
  return {
    commands: [["UNLINK", ...items.map(({ key }) => key)]],
    read: ([reply = null]) => (isCommandError(reply) ? refusedAll(items, reply) : done),
  };
}

function expire(items: readonly KeyChanges[]): Order {
  return {
    commands: items.flatMap(({ key, commands }) => commands.map(({ name, args }): Command => [name, key, ...args])),
    read(replies) {
      const left = [...replies];
      return refusedOf(items, ({ commands }) => left.splice(0, commands.length).filter(isCommandError));
    },
  };
}

/** No argument is to be replaced. */
const asItIs: Otherwise = { place: -1, arg: "" };

function change(items: readonly KeyChanges[], id: string, transport: string): Order {
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

function setValues(items: readonly KeyValue[], nowMs: number, transport: string): Order {
  const args = items.flatMap(({ value, end, states, absentFromMs }): Argument[] => {
    const accepted = absentFromMs <= nowMs ? [...states, absent] : states;
    return [value, end, accepted.length, ...accepted];
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

/** By its text, which takes no second trip where Redis does not know it. What Redis refuses as a whole it refuses of each key. */
function script(
  { lua }: Script,
  keys: readonly Bulk[],
  args: readonly Argument[],
  items: readonly KeyItem[],
  read: (reply: Reply) => BatchOutcome,
): Order {
  return {
    commands: [["EVAL", lua, keys.length, ...keys, ...args]],
    read: ([reply = null]) => (isCommandError(reply) ? refusedAll(items, reply) : read(reply)),
  };
}

/** What Redis said within a script. @throws TransportError when it is about the server and not about the command. */
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

/** Of a key some of whose commands were refused, as many mutations are dropped; all of them when every command was. */
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

/** Where the primary remembers that a batch was applied. In a Redis Cluster it lives beside the batch's first key. */
function markFor(key: Bulk, id: string): string {
  const text = typeof key === "string" ? key : "";
  const tag = /\{([^}]+)\}/.exec(text)?.[1] ?? text;
  return `continuum-cache:replayed:{${tag}}:${id}`;
}
