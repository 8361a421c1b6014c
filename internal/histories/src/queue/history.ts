import type { FaultRecord } from "../faults/fault-record.ts";
import type { TroubleRecord } from "../fleet/serve-worker.ts";
import type {
  CallRecord,
  DeadRecord,
  DeliveryRecord,
  DrainRecord,
  EffectRecord,
  EventRecord,
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

/** Records, sorted by what they are about. */
export interface History {
  readonly messages: ReadonlyMap<string, MessageLife>;
  readonly calls: readonly CallRecord[];
  readonly drains: readonly DrainRecord[];
  readonly events: readonly EventRecord[];
  readonly left: readonly LeftRecord[];
  readonly faults: readonly FaultRecord[];
  readonly troubles: readonly TroubleRecord[];
  /** When a process was killed. */
  killedMs(process: string): number | undefined;
}

interface OpenLease {
  readonly delivery: DeliveryRecord;
  hasFailed: boolean;
  readonly settles: SettleRecord[];
}

interface OpenMessage {
  readonly id: string;
  readonly pushes: PushRecord[];
  readonly leases: OpenLease[];
  readonly effects: EffectRecord[];
  readonly deaths: DeadRecord[];
}

export function readHistory(records: readonly QueueRecord[]): History {
  const messages = new Map<string, OpenMessage>();
  const leases = new Map<string, OpenLease>();
  const calls: CallRecord[] = [];
  const drains: DrainRecord[] = [];
  const events: EventRecord[] = [];
  const left: LeftRecord[] = [];
  const faults: FaultRecord[] = [];
  const troubles: TroubleRecord[] = [];
  const message = (id: string): OpenMessage => {
    const found = messages.get(id) ?? { id, pushes: [], leases: [], effects: [], deaths: [] };
    messages.set(id, found);
    return found;
  };
  const lease = (of: { readonly process: string; readonly lease: number }): OpenLease | undefined =>
    leases.get(`${of.process} ${of.lease}`);

  for (const record of records) {
    if (record.kind === "push") message(record.id).pushes.push(record);
    else if (record.kind === "delivery") {
      const open: OpenLease = { delivery: record, hasFailed: false, settles: [] };
      leases.set(`${record.process} ${record.lease}`, open);
      message(record.id).leases.push(open);
    } else if (record.kind === "failure") {
      const open = lease(record);
      if (open) open.hasFailed = true;
    } else if (record.kind === "settle") lease(record)?.settles.push(record);
    else if (record.kind === "effect") message(record.id).effects.push(record);
    else if (record.kind === "dead") message(record.id).deaths.push(record);
    else if (record.kind === "call") calls.push(record);
    else if (record.kind === "drain") drains.push(record);
    else if (record.kind === "event") events.push(record);
    else if (record.kind === "left") left.push(record);
    else if (record.kind === "fault") faults.push(record);
    else troubles.push(record);
  }
  for (const { leases } of messages.values()) leases.sort((one, other) => one.delivery.atMs - other.delivery.atMs);
  const kills = new Map(
    faults.flatMap(({ target, process, startMs }) => (target === "kill" ? [[process ?? "", startMs] as const] : [])),
  );
  return { messages, calls, drains, events, left, faults, troubles, killedMs: (process) => kills.get(process) };
}

/** What was promised, in numbers. */
export interface QueueTerms {
  readonly leaseMs: number;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  /** What a busy machine may add to a time. */
  readonly slackMs: number;
  /** So many messages others may do while one waits in the buffer of a slow process, which gives it back after a while. */
  readonly aheadMessages: number;
}
