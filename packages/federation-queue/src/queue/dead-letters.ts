import { fromMessageText, serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import { entryMs, readFields, type StreamEntry } from "./message-fields.ts";
import { redriveScript } from "./redrive-script.ts";
import type { QueueSettings } from "./settings.ts";
import type { DeadLetter, DeathReason } from "./types.ts";

/** Which dead letters to push again. */
export interface RedriveRequest {
  readonly max: number;
  /** Undefined: all. */
  readonly ids: ReadonlySet<string> | undefined;
}

const page = 100;

/** Reads dead letters, the latest first. */
export async function readDead<Event>(
  client: PrimaryClient,
  settings: QueueSettings,
  max: number,
  options: PrimaryCallOptions,
): Promise<DeadLetter<Event>[]> {
  const { keys, codec, retentionMs } = settings;
  const [time, entries] = await client.send([["TIME"], ["XREVRANGE", keys.dead, "+", "-", "COUNT", max]], options);
  const oldestMs = serverTimeMs(unwrap(time)) - retentionMs;
  const decode = (text: string): Event | undefined => {
    try {
      return codec.decode(fromMessageText(text)) as Event;
    } catch {
      // This may be why it is a dead letter, or this process lacks the codec.
      return undefined;
    }
  };
  return (unwrap(entries) as readonly StreamEntry[])
    .filter(([entryId]) => entryMs(entryId) >= oldestMs)
    .map((entry) => {
      const fields = readFields(entry);
      return {
        id: fields.i,
        event: decode(fields.e),
        priority: fields.p ?? "",
        reason: (fields.r ?? "failed") as DeathReason,
        ...(fields.d !== undefined && { detail: fields.d }),
        failures: Number(fields.f),
        crashes: Number(fields.c),
        pushedAt: new Date(Number(fields.t)),
        diedAt: new Date(entryMs(entry[0])),
      };
    });
}

/** Pushes dead letters again, the earliest first. @returns how many each stream got. */
export async function redrive(
  client: PrimaryClient,
  { keys }: QueueSettings,
  { max, ids }: RedriveRequest,
  options: PrimaryCallOptions,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  let from = "-";
  for (let count = 0; count < max; ) {
    const [reply] = await client.send([["XRANGE", keys.dead, from, "+", "COUNT", page]], options);
    const entries = unwrap(reply) as readonly StreamEntry[];
    const chosen = entries.filter((entry) => !ids || ids.has(readFields(entry).i)).slice(0, max - count);
    if (chosen.length > 0) {
      const streams = [keys.dead, ...keys.streams.map(({ key }) => key)];
      const args = [keys.priorities.length, ...keys.priorities, ...chosen.map(([entryId]) => entryId)];
      for (const name of (await client.run(redriveScript, streams, args, options)) as readonly string[]) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        count++;
      }
    }
    const last = entries.at(-1);
    if (entries.length < page || !last) break;
    from = `(${last[0]}`;
  }
  return counts;
}
