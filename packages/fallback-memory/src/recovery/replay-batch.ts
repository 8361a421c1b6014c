import {
  type Argument,
  type Command,
  type CommandError,
  deletePattern,
  errorFromRedis,
  isCommandError,
  isTransportError,
  type Reply,
  runScript,
  type Transport,
} from "@continuum-cache/core";
import type { Otherwise } from "../journal/canonical-write.ts";
import type { Bulk } from "../values/bulk.ts";
import { applyChanges, markSeconds } from "./apply-changes.ts";
import type { Batch, KeyChanges, KeyValue } from "./replay-plan.ts";
import { absent, setUnlessWritten } from "./set-unless-written.ts";

/** What became of a batch. */
export interface BatchOutcome {
  /** Sets that gave way to what others have written. */
  readonly superseded: number;
  /** What was set. */
  readonly written: readonly KeyValue[];
  /** What Redis refused, and of which key. */
  readonly refusals: readonly { readonly key: Bulk; readonly error: CommandError }[];
}

/**
 * Tells the primary one batch. It may be told twice without harm.
 *
 * @throws TransportError when no answer came: then the batch has to be told again.
 */
export async function replayBatch(primary: Transport, batch: Batch, nowMs: number): Promise<BatchOutcome> {
  switch (batch.kind) {
    case "invalidate":
      return invalidate(primary, batch.glob);
    case "delete":
      return eachIfApart(batch.keys, (keys) => unlink(primary, keys));
    case "expire":
      return expire(primary, batch.items);
    case "change":
      return eachIfApart(batch.items, (items, part) => change(primary, items, `${batch.id}${part}`));
    case "set":
      return eachIfApart(batch.items, (items) => setValues(primary, items, nowMs));
  }
}

const done: BatchOutcome = { superseded: 0, written: [], refusals: [] };

/** All in one go; where a Redis Cluster keeps their keys in different places, each by itself. */
async function eachIfApart<Item>(
  items: readonly Item[],
  run: (items: readonly Item[], part: string) => Promise<BatchOutcome>,
): Promise<BatchOutcome> {
  const together = await run(items, "");
  const isApart = items.length > 1 && together.refusals.some(({ error }) => error.code === "CROSSSLOT");
  if (!isApart) return together;
  let all = done;
  for (const [index, item] of items.entries()) {
    const own = await run([item], `.${index}`);
    all = {
      superseded: all.superseded + own.superseded,
      written: [...all.written, ...own.written],
      refusals: [...all.refusals, ...own.refusals],
    };
  }
  return all;
}

async function invalidate(primary: Transport, glob: string): Promise<BatchOutcome> {
  const send = (commands: readonly Command[]): Promise<Reply[]> => primary.send(commands);
  try {
    if (glob === "*") {
      const [reply = null] = await send([["FLUSHDB"]]);
      if (isCommandError(reply)) throw reply;
    } else {
      await deletePattern(send, glob, {});
    }
    return done;
  } catch (error) {
    if (!isCommandError(error)) throw error;
    return { ...done, refusals: [{ key: glob, error }] };
  }
}

async function unlink(primary: Transport, keys: readonly Bulk[]): Promise<BatchOutcome> {
  const [reply = null] = await primary.send([["UNLINK", ...keys]]);
  return isCommandError(reply) ? refusedAll(keys, reply) : done;
}

async function expire(primary: Transport, items: readonly KeyChanges[]): Promise<BatchOutcome> {
  const orders = items.flatMap(({ key, commands }) => commands.map(({ name, args }) => ({ key, name, args })));
  const replies = await primary.send(orders.map(({ key, name, args }): Command => [name, key, ...args]));
  const refusals = orders.flatMap(({ key }, index) => {
    const reply = replies[index];
    return isCommandError(reply) ? [{ key, error: reply }] : [];
  });
  return { ...done, refusals };
}

/** No argument is to be replaced. */
const asItIs: Otherwise = { place: -1, arg: "" };

async function change(primary: Transport, items: readonly KeyChanges[], id: string): Promise<BatchOutcome> {
  const keys = items.map(({ key }) => key);
  // The mark is the first key, so those of the commands count from 2.
  const orders = items.flatMap(({ key, commands }, index) =>
    commands.map(({ name, args, otherwise = asItIs }) => {
      return { key, words: [args.length, name, index + 2, otherwise.place + 1, otherwise.arg, ...args] };
    }),
  );
  return script(keys, async () => {
    const args: Argument[] = [markSeconds, ...orders.flatMap(({ words }) => words)];
    const refused = await runScript(primary, applyChanges, [markFor(keys[0] ?? "", id), ...keys], args);
    const refusals = pairs(refused).map(([number, text]) => ({
      key: orders[Number(number)]?.key ?? "",
      error: refusalOf(String(text), primary),
    }));
    return { ...done, refusals };
  });
}

async function setValues(primary: Transport, items: readonly KeyValue[], nowMs: number): Promise<BatchOutcome> {
  const keys = items.map(({ key }) => key);
  return script(keys, async () => {
    const args = items.flatMap(({ value, end, states, absentFromMs }): Argument[] => {
      const accepted = absentFromMs <= nowMs ? [...states, absent] : states;
      return [value, end, accepted.length, ...accepted];
    });
    const outcomes = (await runScript(primary, setUnlessWritten, keys, args)) as readonly Reply[];
    return {
      superseded: outcomes.filter((outcome) => outcome === 0).length,
      written: items.filter((_, index) => outcomes[index] === 1),
      refusals: outcomes.flatMap((outcome, index) =>
        typeof outcome === "string" ? [{ key: keys[index] ?? "", error: refusalOf(outcome, primary) }] : [],
      ),
    };
  });
}

/** What Redis said within a script. @throws TransportError when it is about the server and not about the command. */
function refusalOf(text: string, { name }: Transport): CommandError {
  const error = errorFromRedis(text, name);
  if (isTransportError(error)) throw error;
  return error;
}

/** A script that Redis refuses as a whole has refused each of its keys. */
async function script(keys: readonly Bulk[], run: () => Promise<BatchOutcome>): Promise<BatchOutcome> {
  try {
    return await run();
  } catch (error) {
    if (!isCommandError(error)) throw error;
    return refusedAll(keys, error);
  }
}

const refusedAll = (keys: readonly Bulk[], error: CommandError): BatchOutcome => ({
  ...done,
  refusals: keys.map((key) => ({ key, error })),
});

function pairs(reply: Reply): [Reply, Reply][] {
  const items = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  return items.flatMap((item, index) => (index % 2 === 0 ? [[item, items[index + 1] ?? null] as [Reply, Reply]] : []));
}

/** Where the primary remembers that a batch was applied. In a Redis Cluster it lives beside the batch's first key. */
function markFor(key: Bulk, id: string): string {
  const text = typeof key === "string" ? key : "";
  const tag = /\{([^}]+)\}/.exec(text)?.[1] ?? text;
  return `continuum-cache:replayed:{${tag}}:${id}`;
}
