import { never } from "../keyspace/keyspace.ts";
import { index, positiveCount } from "../numbers/integer.ts";
import { type Bulk, handOut, sameBulk, word } from "../values/bulk.ts";
import {
  createList,
  type End,
  elementAt,
  elementsBytes,
  elementsOf,
  type List,
  popElement,
  pushElement,
  replaceElements,
  setElement,
} from "../values/list.ts";
import { noSuchKey, refusal, syntaxError, wrongArity } from "../values/refusals.ts";
import { expectType } from "../values/stored-value.ts";
import { type CommandContext, type CommandRow, type CommandRows, row } from "./command-row.ts";
import { positionOptions, positionsOf } from "./list-positions.ts";

const listAt = ({ keyspace }: CommandContext, key: Bulk): List | undefined =>
  expectType("list", keyspace.find(key)?.value);
const orNull = (bulk: Bulk | undefined): Bulk | null => (bulk === undefined ? null : handOut(bulk));
/** An index that may count from the end. */
const fromStart = (at: number, size: number): number => (at < 0 ? size + at : at);

/** Stores the new size of a list, or removes an empty one. */
function settle({ keyspace }: CommandContext, key: Bulk, list: List): void {
  if (list.size === 0) keyspace.remove(key);
  else keyspace.put(key, list, keyspace.peek(key)?.expiresAtMs ?? never);
}

/** Adds elements one after the other, to a new list if need be. Nothing is changed when they don't fit. */
function push(context: CommandContext, key: Bulk, end: End, elements: readonly Bulk[]): number {
  const list = listAt(context, key) ?? createList();
  context.keyspace.assertFits(key, list.bytes + elementsBytes(elements));
  for (const element of elements) pushElement(list, end, element);
  settle(context, key, list);
  return list.size;
}

const pushAt = (end: End): CommandRow => row(-3, (context, [key, ...elements]) => push(context, key, end, elements));
const pushIfThere = (end: End): CommandRow =>
  row(-3, (context, [key, ...elements]) => (listAt(context, key) ? push(context, key, end, elements) : 0));

const popAt = (end: End): CommandRow =>
  row(-2, (context, [key, ...rest]) => {
    if (rest.length > 1) throw wrongArity(context.name);
    const count = rest[0] === undefined ? undefined : positiveCount(rest[0]);
    const list = listAt(context, key);
    if (!list) return null;
    const popped: Bulk[] = [];
    for (let left = Math.min(count ?? 1, list.size); left > 0; left--) popped.push(popElement(list, end) as Bulk);
    if (popped.length > 0) settle(context, key, list);
    return count === undefined ? orNull(popped[0]) : popped.map(handOut);
  });

/** Moves an element between two lists, which may be one. */
function move(context: CommandContext, source: Bulk, target: Bulk, from: End, to: End): Bulk | null {
  const list = listAt(context, source);
  if (!list) return null;
  const targetList = listAt(context, target);
  const element = elementAt(list, from === "head" ? 0 : list.size - 1) as Bulk;
  if (list !== targetList)
    context.keyspace.assertFits(target, (targetList ?? createList()).bytes + elementsBytes([element]));
  popElement(list, from);
  if (list === targetList) {
    pushElement(list, to, element);
  } else {
    // The shorter list first: otherwise the element would count twice for a moment, and could evict another key.
    settle(context, source, list);
    push(context, target, to, [element]);
  }
  return handOut(element);
}

function endOf(bulk: Bulk): End {
  const name = word(bulk);
  if (name !== "LEFT" && name !== "RIGHT") throw syntaxError();
  return name === "LEFT" ? "head" : "tail";
}

export const lists: CommandRows = {
  LLEN: row(2, (context, [key]) => listAt(context, key)?.size ?? 0),
  LRANGE: row(4, (context, [key, first, last]) => {
    const [from, to] = [index(first), index(last)];
    const list = listAt(context, key);
    if (!list) return [];
    const start = Math.max(0, fromStart(from, list.size));
    const end = Math.min(list.size, fromStart(to, list.size) + 1);
    return elementsOf(list, start, end).map(handOut);
  }),
  LINDEX: row(3, (context, [key, place]) => {
    const list = listAt(context, key);
    if (!list) return null;
    return orNull(elementAt(list, fromStart(index(place), list.size)));
  }),
  LPOS: row(-3, (context, [key, element, ...words]) => {
    const options = positionOptions(words);
    const list = listAt(context, key);
    const places = list ? positionsOf(list, element, options) : [];
    return options.count === undefined ? (places[0] ?? null) : places;
  }),
  LPUSH: pushAt("head"),
  RPUSH: pushAt("tail"),
  LPUSHX: pushIfThere("head"),
  RPUSHX: pushIfThere("tail"),
  LPOP: popAt("head"),
  RPOP: popAt("tail"),
  LSET: row(4, (context, [key, place, element]) => {
    const list = listAt(context, key);
    if (!list) throw noSuchKey();
    const at = fromStart(index(place), list.size);
    const old = elementAt(list, at);
    if (old === undefined) throw refusal("ERR index out of range");
    context.keyspace.assertFits(key, list.bytes + elementsBytes([element]) - elementsBytes([old]));
    setElement(list, at, element);
    settle(context, key, list);
    return "OK";
  }),
  LREM: row(4, (context, [key, count, element]) => {
    const limit = index(count);
    const list = listAt(context, key);
    if (!list) return 0;
    const doomed = new Set(
      positionsOf(list, element, { rank: limit < 0 ? -1 : 1, count: Math.abs(limit), maxLength: 0 }),
    );
    if (doomed.size > 0) {
      replaceElements(
        list,
        elementsOf(list).filter((_, at) => !doomed.has(at)),
      );
      settle(context, key, list);
    }
    return doomed.size;
  }),
  LTRIM: row(4, (context, [key, first, last]) => {
    const [from, to] = [index(first), index(last)];
    const list = listAt(context, key);
    if (!list) return "OK";
    const { size } = list;
    const start = Math.max(0, fromStart(from, size));
    const end = Math.max(start, Math.min(size, fromStart(to, size) + 1));
    // Only removed elements are touched: trimming a log after each push costs the same at any length.
    for (let gone = Math.min(size, end > start ? start : size); gone > 0; gone--) popElement(list, "head");
    for (let gone = Math.min(list.size, size - end); gone > 0; gone--) popElement(list, "tail");
    settle(context, key, list);
    return "OK";
  }),
  LINSERT: row(5, (context, [key, where, pivot, element]) => {
    const side = word(where);
    if (side !== "BEFORE" && side !== "AFTER") throw syntaxError();
    const list = listAt(context, key);
    if (!list) return 0;
    const elements = elementsOf(list);
    const at = elements.findIndex((candidate) => sameBulk(candidate, pivot));
    if (at < 0) return -1;
    context.keyspace.assertFits(key, list.bytes + elementsBytes([element]));
    elements.splice(side === "BEFORE" ? at : at + 1, 0, element);
    replaceElements(list, elements);
    settle(context, key, list);
    return list.size;
  }),
  LMOVE: row(5, (context, [source, target, from, to]) => move(context, source, target, endOf(from), endOf(to))),
  RPOPLPUSH: row(3, (context, [source, target]) => move(context, source, target, "tail", "head")),
};
