import type { CommandError, Reply } from "@continuum-cache/core";
import { parseInteger } from "../numbers/integer.ts";
import { type Bulk, legible, word } from "../values/bulk.ts";
import { itemsBetween, itemWith } from "../values/id-order.ts";
import { refusal, syntaxError } from "../values/refusals.ts";
import type { StreamEntry } from "../values/stream.ts";
import { assign, type Pending, pendingBytes, release } from "../values/stream-group.ts";
import { compareIds, firstId, idAfter, idText, isId, lastId, parseId, type StreamId } from "../values/stream-id.ts";
import { type CommandContext, type CommandRows, row } from "./command-row.ts";
import { consumerHere, expectGroup, type GroupAt } from "./stream-consumer.ts";
import { entryReply, settle, startOfRange } from "./streams.ts";

interface ClaimOptions {
  readonly ids: readonly StreamId[];
  readonly force: boolean;
  readonly justId: boolean;
  readonly deliveredMs: number;
  readonly deliveries: number | undefined;
  readonly lastDelivered: StreamId;
}

const badNumber = (what: string, command: string): CommandError =>
  refusal(`ERR Invalid ${what} argument for ${command}`);

function number(bulk: Bulk, error: CommandError): number {
  const value = parseInteger(bulk);
  if (value === undefined) throw error;
  return Number(value);
}

const minIdle = (bulk: Bulk, command: string): number => Math.max(0, number(bulk, badNumber("min-idle-time", command)));

/** Ids up to the first word that is none, then options. */
function claimOptions(words: readonly Bulk[], nowMs: number): ClaimOptions {
  const firstOption = words.findIndex((id) => !isId(id));
  const end = firstOption < 0 ? words.length : firstOption;
  let [force, justId] = [false, false];
  let deliveredMs = -1;
  let deliveries = -1;
  let lastDelivered = firstId;
  for (let at = end; at < words.length; at++) {
    const [option, value] = [word(words[at]), words[at + 1]];
    if (option === "FORCE") force = true;
    else if (option === "JUSTID") justId = true;
    else if (value === undefined || !["IDLE", "TIME", "RETRYCOUNT", "LASTID"].includes(option)) {
      throw refusal(`ERR Unrecognized XCLAIM option '${legible(words[at] as Bulk)}'`);
    } else {
      at++;
      if (option === "LASTID") lastDelivered = parseId(value, 0n);
      else {
        const given = number(value, badNumber(`${option} option`, "XCLAIM"));
        if (option === "RETRYCOUNT") deliveries = given;
        else deliveredMs = option === "IDLE" ? nowMs - given : given;
      }
    }
  }
  return {
    ids: words.slice(0, end).map((id) => parseId(id, 0n)),
    force,
    justId,
    // A time that can't be is now.
    deliveredMs: deliveredMs < 0 || deliveredMs > nowMs ? nowMs : deliveredMs,
    deliveries: deliveries < 0 ? undefined : deliveries,
    lastDelivered,
  };
}

const replyFor = (entry: StreamEntry, justId: boolean): Reply => (justId ? idText(entry.id) : entryReply(entry));

/** Gives a consumer an entry that another consumer holds, or none. */
function claim(
  context: CommandContext,
  at: GroupAt,
  name: Bulk,
  { id }: StreamEntry,
  { deliveredMs, deliveries }: Omit<Pending, "id" | "consumer">,
): void {
  const isHeld = itemWith(at.group.pending, id) !== undefined;
  const consumer = consumerHere(context, at, name, isHeld ? 0 : pendingBytes);
  assign(at.stream, at.group, consumer, { id, deliveredMs, deliveries });
}

export const streamClaims: CommandRows = {
  XCLAIM: row(-6, (context, [key, name, consumer, idle, ...words]) => {
    const at = expectGroup(context, key, name);
    const { stream, group } = at;
    const minIdleMs = minIdle(idle, "XCLAIM");
    const options = claimOptions(words, context.nowMs);
    if (compareIds(options.lastDelivered, group.lastDelivered) > 0) group.lastDelivered = options.lastDelivered;
    const claimed = options.ids.flatMap((id): Reply[] => {
      const held = itemWith(group.pending, id);
      const entry = itemWith(stream.entries, id);
      if (!entry) {
        if (held) release(stream, group, held);
        return [];
      }
      if (!held && !options.force) return [];
      if (held && minIdleMs > 0 && context.nowMs - held.deliveredMs < minIdleMs) return [];
      const deliveries = options.deliveries ?? (held?.deliveries ?? 1) + (options.justId ? 0 : 1);
      claim(context, at, consumer, entry, { deliveredMs: options.deliveredMs, deliveries });
      return [replyFor(entry, options.justId)];
    });
    settle(context, key, stream);
    return claimed;
  }),
  XAUTOCLAIM: row(-6, (context, [key, name, consumer, idle, start, ...words]) => {
    const minIdleMs = minIdle(idle, "XAUTOCLAIM");
    const from = startOfRange(start);
    const { count, justId } = autoOptions(words);
    const at = expectGroup(context, key, name);
    const { stream, group } = at;
    const claimed: Reply[] = [];
    const deleted: string[] = [];
    // Ten places for each entry that is wanted are looked at, no more.
    const places = itemsBetween(group.pending, from, lastId, { count: count * 10 });
    let next: StreamId | undefined = from;
    for (const { id, deliveredMs, deliveries } of places) {
      if (claimed.length + deleted.length === count) break;
      next = idAfter(id);
      const entry = itemWith(stream.entries, id);
      if (!entry) {
        release(stream, group, itemWith(group.pending, id) as Pending);
        deleted.push(idText(id));
      } else if (context.nowMs - deliveredMs >= minIdleMs) {
        claim(context, at, consumer, entry, {
          deliveredMs: context.nowMs,
          deliveries: deliveries + (justId ? 0 : 1),
        });
        claimed.push(replyFor(entry, justId));
      }
    }
    const [rest] = next ? itemsBetween(group.pending, next, lastId, { count: 1 }) : [];
    settle(context, key, stream);
    return [idText(rest?.id ?? firstId), claimed, deleted];
  }),
};

function autoOptions(words: readonly Bulk[]): { readonly count: number; readonly justId: boolean } {
  let count = 100;
  let justId = false;
  for (let at = 0; at < words.length; at++) {
    const [option, value] = [word(words[at]), words[at + 1]];
    if (option === "COUNT" && value !== undefined) {
      count = number(value, refusal("ERR COUNT must be > 0"));
      if (count < 1 || count > largestCount) throw refusal("ERR COUNT must be > 0");
      at++;
    } else if (option === "JUSTID") justId = true;
    else throw syntaxError();
  }
  return { count, justId };
}

const largestCount = 2 ** 63 / 16;
