import { type Command, isUnanswered } from "@continuum-cache/core";
import type { DeathReason } from "../dead-letter.ts";
import type { Acks } from "./acks.ts";
import type { LeaseWork } from "./create-lease.ts";
import type { Held } from "./leases.ts";
import { accepted, type Link, timeLeft } from "./link.ts";
import { type MessageFields, packDelayed, writeFields } from "./message-fields.ts";
import { moveScript } from "./move-script.ts";
import { group, groupBySource, type Source } from "./queue-keys.ts";
import type { QueueSettings } from "./queue-settings.ts";

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
  acks: Acks,
  listener: SettlementListener,
): Settlements {
  /** One more attempt where the outcome of the first is unknown: its own success can be told while the lease is young. */
  const move = async (from: Source, to: string, args: readonly string[], held: Held | undefined): Promise<boolean> => {
    const left = timeLeft(link, {});
    const endsMs = performance.now() + link.timeoutMs;
    for (let isSecond = false; ; isSecond = true) {
      try {
        // Those of one tick go together, which needs the same deadline.
        const options = isSecond ? left() : { together: true };
        const moved = await link.run(moveScript, [from.key, to], args, options);
        if (moved === 1) return true;
        return held?.isDoubtful === true && performance.now() < held.expiresMs;
      } catch (error) {
        if (!isUnanswered(error) || error.delivery === "none") throw error;
        if (held) held.isDoubtful = true;
        if (!held || isSecond || performance.now() + 1 >= endsMs) throw error;
      }
    }
  };

  const bury: Settlements["bury"] = async (source, entryId, fields, reason) => {
    const letter = { ...fields, p: source.priority ?? fields.p, r: reason };
    const moved = await move(source, keys.dead, [entryId, "", ...writeFields(letter)], undefined);
    if (moved) listener.died(fields.i, reason);
    return moved;
  };

  const giveBack = async (held: Held): Promise<boolean> => {
    const { source, fields, entryId } = held;
    const back = { ...fields, p: source.priority ?? fields.p };
    const moved = await move(source, keys.again.key, [entryId, "", ...writeFields(back)], held);
    if (moved) listener.given(keys.again.name);
    return moved;
  };

  const nackedAfter = (failures: number): number => {
    const most = Math.min(backoffMs.max, backoffMs.initial * 2 ** Math.min(failures - 1, 40));
    return Math.max(1, Math.round(most * (0.5 + Math.random() / 2)));
  };

  return {
    bury,
    ack: acks.ack,
    release: giveBack,
    async nack(held, { delayMs, reason }) {
      const { source, fields, entryId } = held;
      const failures = Number(fields.f) + 1;
      const failed = { ...fields, p: source.priority ?? fields.p, f: String(failures), d: reason ?? fields.d };
      if (failures >= maxAttempts) {
        const moved = await move(source, keys.dead, [entryId, "", ...writeFields({ ...failed, r: "failed" })], held);
        if (moved) listener.died(fields.i, "failed");
        return moved;
      }
      const waitMs = delayMs ?? nackedAfter(failures);
      if (waitMs === 0) {
        const moved = await move(source, keys.again.key, [entryId, "", ...writeFields(failed)], held);
        if (moved) listener.given(keys.again.name);
        return moved;
      }
      const member = packDelayed({ ...failed, d: failed.d?.replaceAll("\n", " ") });
      const moved = await move(source, keys.delayed, [entryId, String(waitMs), member], held);
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
      const bySource = groupBySource(held, ({ source }) => source);
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
