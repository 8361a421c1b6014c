import { type FaultRecord, recordsOf, type TroubleRecord } from "../checking/records.ts";
import { readStalls, type Stalls } from "../checking/stalls.ts";
import {
  type CloseRecord,
  type DeliveryRecord,
  type GapRecord,
  nameOf,
  type OpenRecord,
  type PublishRecord,
  type PubSubRecord,
} from "./record.ts";

/** By when things have to happen, in milliseconds. Stalls of processes come on top. */
export interface PubSubTerms {
  /** The timeout that publishers give. */
  readonly publishMs: number;
  /** After the last fault a subscriber hears again within this. */
  readonly livenessMs: number;
}

/** What one subscription has seen, in the order in which it did. */
export interface Life {
  readonly open: OpenRecord;
  readonly items: readonly (DeliveryRecord | GapRecord)[];
  readonly close?: CloseRecord;
}

/** Records, sorted by what they are about. */
export interface History {
  readonly terms: PubSubTerms;
  readonly publishes: ReadonlyMap<string, PublishRecord>;
  readonly lives: readonly Life[];
  readonly faults: readonly FaultRecord[];
  readonly troubles: readonly TroubleRecord[];
  readonly stalls: Stalls;
}

/** @param records - Those of one process in the order in which it wrote them. */
export function readHistory(records: readonly PubSubRecord[], terms: PubSubTerms): History {
  const of = recordsOf(records);
  const items = new Map<string, (DeliveryRecord | GapRecord)[]>();
  // What a subscription hears before its call has resolved stands before its opening.
  for (const record of records) {
    if (record.kind !== "delivery" && record.kind !== "gap") continue;
    const heard = items.get(record.subscriber) ?? [];
    heard.push(record);
    items.set(record.subscriber, heard);
  }
  const closes = new Map(of("close").map((close) => [close.subscriber, close]));
  const lives = new Map(
    of("open").map((open): [string, Life] => {
      const close = closes.get(open.subscriber);
      return [open.subscriber, { open, items: items.get(open.subscriber) ?? [], ...(close && { close }) }];
    }),
  );
  return {
    terms,
    publishes: new Map(of("publish").map((publish) => [nameOf(publish), publish])),
    lives: [...lives.values()],
    faults: of("fault"),
    troubles: of("trouble"),
    stalls: readStalls(of("stall")),
  };
}

/** A message that was handed out, and the call that published it. */
export interface Heard {
  readonly delivery: DeliveryRecord;
  readonly publish: PublishRecord;
  /** Its place among all that the subscriber has seen. */
  readonly index: number;
}

/** The deliveries of a life that a process has published, in their order. */
export function heardIn({ items }: Life, publishes: History["publishes"]): Heard[] {
  return items.flatMap((item, index) => {
    if (item.kind !== "delivery") return [];
    const publish = publishes.get(nameOf(item));
    return publish ? [{ delivery: item, publish, index }] : [];
  });
}
