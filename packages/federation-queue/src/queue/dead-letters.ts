import { defineScript, fromMessageText, type Script, serverTimeMs, unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import { entryMs, fieldsLua, readFields, type StreamEntry, writeFields } from "./message-fields.ts";
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

/**
 * Pushes dead letters again, with new counters and times.
 *
 * KEYS: the dead letters, the retry stream (for priorities that no longer exist), then the stream of each priority.
 * ARGV: the number of priorities, their names, then the ids of the entries. Returns the name of the stream that each
 * message went to, without entries that no longer exist.
 */
export const redriveScript: Script = defineScript({
  name: "queue-redrive",
  keys: "any",
  lua: `${fieldsLua}
local dead, retry, count = KEYS[1], KEYS[2], tonumber(ARGV[1])
local stream = {}
for n = 1, count do stream[ARGV[1 + n]] = KEYS[2 + n] end
local names = {}
local done = {}
for n = 2 + count, #ARGV do
  local entry = redis.call("XRANGE", dead, ARGV[n], ARGV[n])[1]
  if entry then
    local m = read(entry)
    local key = stream[m.p]
    names[#names + 1] = key and m.p or "retry"
    redis.call("XADD", key or retry, "*", unpack(words({i = m.i, e = m.e, p = not key and m.p or nil})))
    done[#done + 1] = entry[1]
  end
end
if #done > 0 then redis.call("XDEL", dead, unpack(done)) end
return names`,
  memory: ({ call, keys: [dead = "", retry = "", ...streams], args }) => {
    const [count = "0", ...rest] = args.map(String);
    const stream = new Map(rest.slice(0, Number(count)).map((name, index) => [name, streams[index]]));
    const names: string[] = [];
    const done: string[] = [];
    for (const id of rest.slice(Number(count))) {
      const [entry] = call("XRANGE", dead, id, id) as readonly StreamEntry[];
      if (!entry) continue;
      const { i, e, p = "" } = readFields(entry);
      const key = stream.get(p);
      names.push(key === undefined ? "retry" : p);
      call("XADD", key ?? retry, "*", ...writeFields({ i, e, p: key === undefined ? p : undefined }));
      done.push(entry[0]);
    }
    if (done.length > 0) call("XDEL", dead, ...done);
    return names;
  },
});
