import { type Command, isCommandError } from "@continuum-cache/core";
import { accepted, type Link } from "../shared/link.ts";
import type { Held, LeaseWork } from "./leases.ts";
import { type MessageFields, packDelayed, writeFields } from "./message-fields.ts";
import { type Move, moveCommand } from "./move-script.ts";
import { group, type Source } from "./queue-keys.ts";
import type { QueueSettings } from "./settings.ts";
import { groupBy, type Settling } from "./settling.ts";
import type { DeathReason } from "./types.ts";

/** How leases are ended and extended. */
export interface Settlements extends LeaseWork {
  /** Puts a message that can't be worked on to the dead. */
  bury(source: Source, entryId: string, fields: MessageFields, reason: DeathReason): Promise<boolean>;
  /** Extends many leases; tells which of them are held no more. */
  extendAll(held: readonly Held[]): Promise<readonly Held[]>;
}

/** Told what else there is to do, or to tell. */
export interface SettlementListener {
  /** A stream has got something. */
  given(name: string): void;
  /** A message will be due. */
  delayed(delayMs: number): void;
  died(id: string, reason: DeathReason): void;
}

export function createSettlements(
  link: Link,
  { keys, leaseMs, maxAttempts, backoffMs }: QueueSettings,
  consumer: string,
  settling: Settling,
  listener: SettlementListener,
): Settlements {
  const move = (held: Held, to: Move): Promise<boolean> =>
    new Promise((resolve, reject) => {
      settling.settle(held, to, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  const toStream = (key: string, fields: MessageFields): Move => moveTo(key, undefined, writeFields(fields));
  const giveBack = async (held: Held, fields: MessageFields): Promise<boolean> => {
    const moved = await move(held, toStream(keys.again.key, fields));
    if (moved) listener.given(keys.again.name);
    return moved;
  };

  const nackedAfter = (failures: number): number => {
    const most = Math.min(backoffMs.max, backoffMs.initial * 2 ** Math.min(failures - 1, 40));
    return Math.max(1, Math.round(most * (0.5 + Math.random() / 2)));
  };

  return {
    async bury(source, entryId, fields, reason) {
      const letter = toStream(keys.dead, { ...fields, p: source.priority ?? fields.p, r: reason });
      const [reply] = await link.send([moveCommand(source.key, letter.to, [{ ...letter, entryId }])]);
      if (isCommandError(reply)) throw reply;
      const [moved] = reply as readonly number[];
      if (moved === 1) listener.died(fields.i, reason);
      return moved === 1;
    },
    release: (held) => giveBack(held, { ...held.fields, p: held.source.priority ?? held.fields.p }),
    async nack(held, { delayMs, reason }) {
      const { source, fields } = held;
      const failures = Number(fields.f) + 1;
      const failed = { ...fields, p: source.priority ?? fields.p, f: String(failures), d: reason ?? fields.d };
      if (failures >= maxAttempts) {
        const moved = await move(held, toStream(keys.dead, { ...failed, r: "failed" }));
        if (moved) listener.died(fields.i, "failed");
        return moved;
      }
      const waitMs = delayMs ?? nackedAfter(failures);
      if (waitMs === 0) return giveBack(held, failed);
      const member = packDelayed({ ...failed, d: failed.d?.replaceAll("\n", " ") });
      const moved = await move(held, moveTo(keys.delayed, waitMs, [member]));
      if (moved) listener.delayed(waitMs);
      return moved;
    },
    async extend({ source, entryId }, durationMs) {
      const idle = durationMs < leaseMs ? ["IDLE", leaseMs - durationMs] : [];
      const claim: Command = ["XCLAIM", source.key, group, consumer, 0, entryId, ...idle, "JUSTID"];
      const [reply] = await link.send([claim], { together: true });
      return (accepted(reply) as readonly string[]).includes(entryId);
    },
    async extendAll(held) {
      const bySource = groupBy(held, ({ source }) => source);
      const claims = [...bySource].map(
        ([{ key }, ones]): Command => [
          "XCLAIM",
          key,
          group,
          consumer,
          0,
          ...ones.map(({ entryId }) => entryId),
          "JUSTID",
        ],
      );
      // There has to be time for another attempt.
      const replies = await link.send(claims, { timeoutMs: Math.min(link.timeoutMs, Math.ceil(leaseMs / 3)) });
      const were = new Set(
        [...bySource.keys()].flatMap(({ key }, at) =>
          (accepted(replies[at]) as readonly string[]).map((id) => `${id} ${key}`),
        ),
      );
      return held.filter(({ entryId, source }) => !were.has(`${entryId} ${source.key}`));
    },
  };
}

function moveTo(to: string, delayMs: number | undefined, words: readonly string[]): Move {
  return { to, delayMs, words, bytes: words.reduce((sum, { length }) => sum + 3 * length, 0) };
}
