import {
  type CloseRecord,
  type DeliveryRecord,
  type FaultRecord,
  type GapRecord,
  nameOf,
  type OpenRecord,
  type PublishRecord,
  type PubSubRecord,
  type TroubleRecord,
} from "./record.ts";

/** What one subscription has seen, in the order in which it did. */
export interface Life {
  readonly open: OpenRecord;
  readonly items: readonly (DeliveryRecord | GapRecord)[];
  readonly close?: CloseRecord;
}

/** Records, sorted by what they are about. */
export interface History {
  readonly publishes: ReadonlyMap<string, PublishRecord>;
  readonly lives: readonly Life[];
  readonly faults: readonly FaultRecord[];
  readonly troubles: readonly TroubleRecord[];
}

/** @param records - Those of one process in the order in which it wrote them. */
export function readHistory(records: readonly PubSubRecord[]): History {
  const publishes = new Map<string, PublishRecord>();
  const lives = new Map<string, { open: OpenRecord; items: (DeliveryRecord | GapRecord)[]; close?: CloseRecord }>();
  const faults: FaultRecord[] = [];
  const troubles: TroubleRecord[] = [];
  /** What a subscription hears before its call has resolved stands before its opening. */
  const early = new Map<string, (DeliveryRecord | GapRecord)[]>();
  for (const record of records) {
    if (record.kind === "publish") publishes.set(nameOf(record), record);
    else if (record.kind === "open") {
      lives.set(record.subscriber, { open: record, items: early.get(record.subscriber) ?? [] });
    } else if (record.kind === "delivery" || record.kind === "gap") {
      const items = lives.get(record.subscriber)?.items ?? early.get(record.subscriber) ?? [];
      items.push(record);
      if (!lives.has(record.subscriber)) early.set(record.subscriber, items);
    } else if (record.kind === "close") {
      const life = lives.get(record.subscriber);
      if (life) life.close = record;
    } else if (record.kind === "fault") faults.push(record);
    else troubles.push(record);
  }
  return { publishes, lives: [...lives.values()], faults, troubles };
}

/** A message that was handed out, and the call that published it. */
export interface Heard {
  readonly delivery: DeliveryRecord;
  readonly publish: PublishRecord;
  /** Its place among all that the subscriber has seen. */
  readonly index: number;
}

/** The deliveries of a life that somebody has published, in their order. */
export function heardIn({ items }: Life, publishes: History["publishes"]): Heard[] {
  return items.flatMap((item, index) => {
    if (item.kind !== "delivery") return [];
    const publish = publishes.get(nameOf(item));
    return publish ? [{ delivery: item, publish, index }] : [];
  });
}
