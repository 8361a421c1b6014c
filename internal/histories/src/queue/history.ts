import { type FleetRecords, readFleetRecords } from "../checking/fleet-records.ts";
import { recordsOf } from "../checking/records.ts";
import type {
  DeadRecord,
  DeliveryRecord,
  EffectRecord,
  LeftRecord,
  PushRecord,
  QueueRecord,
  SettleRecord,
} from "./record.ts";

/** One lease: how it was given out, and what its holder did with it. */
export interface LeaseLife {
  readonly delivery: DeliveryRecord;
  /** Its handler failed by itself. */
  readonly hasFailed: boolean;
  readonly settles: readonly SettleRecord[];
}

/** All that is known of one message. */
export interface MessageLife {
  readonly id: string;
  readonly pushes: readonly PushRecord[];
  /** In the order in which they were given out. */
  readonly leases: readonly LeaseLife[];
  readonly effects: readonly EffectRecord[];
  readonly deaths: readonly DeadRecord[];
}

/** What was promised, in numbers. */
export interface QueueTerms {
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  /** What a busy machine may add to a time, besides the stalls that were measured. */
  readonly slackMs: number;
  /**
   * So many messages others may do while one waits in the buffer of a slow process, which gives it back after a
   * while.
   */
  readonly aheadMessages: number;
}

/** Records, sorted by what they are about. */
export interface History extends FleetRecords {
  readonly terms: QueueTerms;
  readonly messages: ReadonlyMap<string, MessageLife>;
  readonly left: readonly LeftRecord[];
}

type Open<Life> = { -readonly [Name in keyof Life]: Life[Name] extends readonly (infer Item)[] ? Item[] : Life[Name] };
type OpenMessage = Omit<Open<MessageLife>, "leases"> & { readonly leases: Open<LeaseLife>[] };

export function readHistory(records: readonly QueueRecord[], terms: QueueTerms): History {
  const of = recordsOf(records);
  const messages = new Map<string, OpenMessage>();
  const leases = new Map<string, Open<LeaseLife>>();
  const message = (id: string): OpenMessage => {
    const found = messages.get(id) ?? { id, pushes: [], leases: [], effects: [], deaths: [] };
    messages.set(id, found);
    return found;
  };
  const lease = (of: { readonly process: string; readonly lease: number }): Open<LeaseLife> | undefined =>
    leases.get(`${of.process} ${of.lease}`);

  for (const push of of("push")) message(push.id).pushes.push(push);
  for (const delivery of of("delivery")) {
    const open = { delivery, hasFailed: false, settles: [] };
    leases.set(`${delivery.process} ${delivery.lease}`, open);
    message(delivery.id).leases.push(open);
  }
  for (const failure of of("failure")) {
    const open = lease(failure);
    if (open) open.hasFailed = true;
  }
  for (const settle of of("settle")) lease(settle)?.settles.push(settle);
  for (const effect of of("effect")) message(effect.id).effects.push(effect);
  for (const dead of of("dead")) message(dead.id).deaths.push(dead);
  for (const { leases } of messages.values()) leases.sort((one, other) => one.delivery.atMs - other.delivery.atMs);
  return { ...readFleetRecords(records), terms, messages, left: of("left") };
}
