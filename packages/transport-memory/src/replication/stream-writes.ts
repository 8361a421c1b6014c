import type { Reply } from "@continuum-cache/core";
import { readOptions } from "../commands/stream-reads.ts";
import { trimOptions } from "../commands/stream-trim.ts";
import { type Bulk, sameBulk, word } from "../values/bulk.ts";
import { allItems, countOf, itemWith, lastOf } from "../values/id-order.ts";
import type { Stream } from "../values/stream.ts";
import { type Group, groupOf, type Pending, pendingCount } from "../values/stream-group.ts";
import { compareIds, firstId, idText, isId, parseId } from "../values/stream-id.ts";
import type { AppliedWrite, CanonicalWrite } from "./canonical-write.ts";

type Change = Extract<CanonicalWrite, { kind: "change" }>;

const change = (key: Bulk, name: string, ...args: readonly Bulk[]): Change => ({ kind: "change", key, name, args });

/**
 * The effect of XADD: an entry under the id that the caller got. If the caller left the id open, the primary may
 * choose another.
 */
export function appended({ args: [key = "", ...words], reply }: AppliedWrite): Change[] {
  if (typeof reply !== "string") return [];
  const { words: place } = trimOptions(words, "XADD");
  const wanted = words[place] as Bulk;
  const write = change(key, "XADD", ...words.slice(0, place), reply, ...words.slice(place + 1));
  const isOpen = typeof wanted === "string" && wanted.endsWith("*");
  return [isOpen ? { ...write, otherwise: { place, arg: wanted } } : write];
}

/** The effect of XGROUP, whose key follows the subcommand. */
export function groupChanged({ args: [subcommand, key = "", ...args] }: AppliedWrite): Change[] {
  return [change(key, `XGROUP ${word(subcommand)}`, ...args)];
}

/** The effects of XREADGROUP as XCLAIM commands, as Redis reports them to its replicas. */
export function readInGroup({ args, reply, at }: AppliedWrite): Change[] {
  const { reader } = readOptions("XREADGROUP", args);
  if (!reader) return [];
  return lists(reply).flatMap(([key, entries]) => {
    const [stream, group] = groupAt(at, key as Bulk, reader.group);
    if (!stream || !group) return [];
    const ids = lists(entries ?? null).flatMap(([id, parts]) => (parts === null ? [] : [id as Bulk]));
    const own = heldAmong(group, ids).filter(({ consumer }) => sameBulk(consumer.name, reader.consumer));
    const given = claims(key as Bulk, group, own);
    const made = given.length > 0 ? given : [change(key as Bulk, "XGROUP CREATECONSUMER", group.name, reader.consumer)];
    return [...made, position(key as Bulk, group, reader.consumer)];
  });
}

export function claimed({ args, reply, at }: AppliedWrite): Change[] {
  const [key, name, consumer, , ...words] = args as readonly [Bulk, Bulk, Bulk, Bulk, ...Bulk[]];
  const [stream, group] = groupAt(at, key, name);
  if (!stream || !group) return [];
  const firstOption = words.findIndex((id) => !isId(id));
  const ids = firstOption < 0 ? words : words.slice(0, firstOption);
  const gone = ids.filter((id) => !itemWith(stream.entries, parseId(id, 0n)));
  return [
    ...claims(key, group, heldAmong(group, idsOf(reply))),
    // An entry that is missing here is surely deleted only if the whole stream is known here.
    ...(gone.length > 0 ? [{ ...change(key, "XACK", name, ...gone), ifWhole: true } as const] : []),
    position(key, group, consumer),
  ];
}

export function autoClaimed({ args, reply, at }: AppliedWrite): Change[] {
  const [key, name] = args as readonly [Bulk, Bulk, ...Bulk[]];
  const [, group] = groupAt(at, key, name);
  const [, taken = null, deleted = null] = reply as readonly Reply[];
  if (!group) return [];
  const gone = idsOf(deleted);
  return [
    ...claims(key, group, heldAmong(group, idsOf(taken))),
    ...(gone.length > 0 ? [change(key, "XACK", name, ...gone)] : []),
  ];
}

/** The changes that make a whole stream: its entries, its last id, and its groups. */
export function wholeStream(key: Bulk, stream: Stream): Change[] {
  const groups = [...(stream.groups?.values() ?? [])];
  const isLastThere = compareIds(lastOf(stream.entries)?.id ?? firstId, stream.last) === 0;
  const last = idText(stream.last);
  const isBare = compareIds(stream.last, firstId) === 0 && groups.length === 0;
  return [
    ...allItems(stream.entries).map(({ id, parts }) => change(key, "XADD", idText(id), ...parts)),
    ...(isLastThere ? [] : [change(key, "XADD", last, "", ""), change(key, "XDEL", last)]),
    ...(isBare ? [change(key, "XGROUP CREATE", "", "0", "MKSTREAM"), change(key, "XGROUP DESTROY", "")] : []),
    ...groups.flatMap((group) => [
      change(key, "XGROUP CREATE", group.name, idText(group.lastDelivered), "MKSTREAM"),
      ...[...group.consumers.values()].map(({ name }) => change(key, "XGROUP CREATECONSUMER", group.name, name)),
      // Redis refuses claims of deleted entries.
      ...claims(
        key,
        group,
        allItems(group.pending).filter(({ id }) => itemWith(stream.entries, id)),
      ),
    ]),
  ];
}

/** About how many changes make a whole stream. */
export function sizeOfWhole({ entries, groups }: Stream): number {
  let size = countOf(entries);
  for (const group of groups?.values() ?? []) size += 1 + group.consumers.size + pendingCount(group);
  return size;
}

/** One XCLAIM for adjacent entries with the same consumer, time and count. */
function claims(key: Bulk, { name }: Group, held: readonly Pending[]): Change[] {
  const runs: Pending[][] = [];
  for (const pending of held) {
    const run = runs.at(-1);
    if (run?.[0] && isAlike(run[0], pending) && run.length < mostIds) run.push(pending);
    else runs.push([pending]);
  }
  return runs.map((run) => {
    const { consumer, deliveredMs, deliveries } = run[0] as Pending;
    const ids = run.map(({ id }) => idText(id));
    const options = ["TIME", String(deliveredMs), "RETRYCOUNT", String(deliveries), "FORCE", "JUSTID"];
    return change(key, "XCLAIM", name, consumer.name, "0", ...ids, ...options);
  });
}

/** A script can run no command of many thousand arguments. */
const mostIds = 200;

const isAlike = (one: Pending, other: Pending): boolean =>
  one.consumer === other.consumer && one.deliveredMs === other.deliveredMs && one.deliveries === other.deliveries;

/**
 * The last delivered id of a group. It applies only where the whole stream is known here: otherwise the group would
 * skip other entries of the primary. Nothing is lost if a group is given again what it was given here.
 */
function position(key: Bulk, { name, lastDelivered }: Group, consumer: Bulk): Change {
  const claim = change(key, "XCLAIM", name, consumer, "0", "0-0", "JUSTID", "LASTID", idText(lastDelivered));
  return { ...claim, ifWhole: true };
}

function groupAt(
  at: AppliedWrite["at"],
  key: Bulk,
  name: Bulk,
): readonly [stream: Stream | undefined, group: Group | undefined] {
  const value = at(key)?.value;
  return value?.type === "stream" ? [value, groupOf(value, name)] : [undefined, undefined];
}

function heldAmong({ pending }: Group, ids: readonly Bulk[]): Pending[] {
  return ids.flatMap((id) => itemWith(pending, parseId(id, 0n)) ?? []);
}

/** The ids of entries, or just ids. */
const idsOf = (reply: Reply): Bulk[] =>
  (Array.isArray(reply) ? (reply as readonly Reply[]) : []).map((item) =>
    Array.isArray(item) ? (item[0] as Bulk) : (item as Bulk),
  );

const lists = (reply: Reply): (readonly Reply[])[] =>
  (Array.isArray(reply) ? (reply as readonly Reply[]) : []).filter(Array.isArray);
