import type { Argument, Reply } from "@continuum-cache/core";
import {
  chunked,
  defineScript,
  type Script,
  type ScriptContext,
  serverTimeMs,
  toMessageText,
} from "@continuum-cache/core/kit";
import type { CacheChange } from "./cache-change.ts";
import { isLater, readTimestamp, ticksPerMs, timestampLua, writeTimestamp } from "./hybrid-timestamp.ts";
import type { ClockSettings, FederationSettings } from "./settings.ts";
import {
  createFederationClock,
  createPatternTombstones,
  type FederationClock,
  type PatternTombstones,
} from "./tombstones.ts";

/** What a federation that shares values needs besides: writes with timestamps. */
export interface ValueSync {
  /** Of this instance. */
  readonly tiebreaker: number;
  readonly clock: FederationClock;
  readonly tombstones: PatternTombstones;
  /**
   * Repeats the writes of this instance with timestamps.
   *
   * @returns the changes to publish.
   *
   * @throws TransportError or CommandError.
   */
  put(puts: readonly Put[]): Promise<readonly CacheChange[]>;
  /** Applies the writes of another instance. @throws TransportError or CommandError. */
  apply(tiebreaker: number, changes: readonly Apply[]): Promise<void>;
}

/** The most that one event publishes. */
export const perEvent = { items: 500 };

export function createValueSync(
  { cache, link, scope, fullGlob }: FederationSettings,
  { tiebreaker, keepMs, clockOf, tombstonesKey }: ClockSettings,
): ValueSync {
  const clock = createFederationClock(link, tombstonesKey, keepMs);
  const tombstones = createPatternTombstones(link, tombstonesKey, keepMs, scope.globs.map(fullGlob));
  const withoutPrefix = (key: string): string => key.slice(cache.keyPrefix.length);
  const keysOf = (changes: readonly { readonly key: string }[]): string[] =>
    changes.flatMap(({ key }) => [key, clockOf(key)]);

  const putPart = async (part: readonly Put[]): Promise<readonly CacheChange[]> => {
    const args = part.flatMap(({ kind, value = "", ttlMs = "" }) => [kind, value, ttlMs]);
    const reply = await link.run(putScript, keysOf(part), [tiebreaker, keepMs, clock.latest, ...args]);
    const { changes: times, nowMs } = readPutAnswer(reply);
    await clock.record(Math.max(...times.map(({ at }) => at)), nowMs);
    const changes: CacheChange[] = [];
    const deleted = { keys: [] as string[], at: [] as number[] };
    for (const [index, { key: fullKey, kind, value = "" }] of part.entries()) {
      const { at = 0, endMs } = times[index] ?? {};
      const key = withoutPrefix(fullKey);
      if (kind === "delete") {
        deleted.keys.push(key);
        deleted.at.push(at);
      } else {
        const text = toMessageText(typeof value === "number" ? String(value) : value);
        changes.push({ type: "fed.set", key, value: text, at, ...(endMs !== undefined && { endMs }) });
      }
    }
    return deleted.keys.length > 0 ? [...changes, { type: "fed.delete", ...deleted }] : changes;
  };

  return {
    tiebreaker,
    clock,
    tombstones,
    async put(puts) {
      const changes: CacheChange[] = [];
      for (const part of chunked(puts, perEvent)) changes.push(...(await putPart(part)));
      return changes;
    },
    async apply(origin, changes) {
      if (changes.length === 0) return;
      const args = changes.flatMap(({ kind, at, value = "", endMs = "" }) => [kind, at, value, endMs]);
      await link.run(applyScript, keysOf(changes), [origin, keepMs, ...args]);
    },
  };
}

/** A write of this instance. */
export interface Put {
  readonly key: string;
  /** "keep": sets the value, and leaves the key's expiry. */
  readonly kind: "set" | "keep" | "delete";
  readonly value?: Argument;
  readonly ttlMs?: number | undefined;
}

/**
 * Writes keys with timestamps by the server's clock, each later than all that this instance has observed and than the
 * key's last write here.
 *
 * KEYS: of each change the key and its clock. ARGV: the origin's tiebreaker, how long to keep clocks in ms, the latest
 * observed timestamp, then of each change its kind (see `Put`), its value, and its time to live in ms ("": forever).
 * Returns the server's time in ms, and of each change its timestamp, and its expiry in ms since 1970 ("": never).
 */
export const putScript: Script = defineScript({
  name: "federation-put",
  keys: "any",
  lua: `${timestampLua}
local tiebreaker, keepMs, latest = ARGV[1], ARGV[2], tonumber(ARGV[3])
local now = serverMs()
local answer = {whole(now)}
for n = 1, #KEYS / 2 do
  local key, clock = KEYS[2 * n - 1], KEYS[2 * n]
  local kind, value, ttl = ARGV[3 * n + 1], ARGV[3 * n + 2], ARGV[3 * n + 3]
  local at = math.max(now * ${ticksPerMs}, latest + 1, timestamp(redis.call("GET", clock)) + 1)
  local finish = ""
  if kind == "delete" then
    redis.call("DEL", key)
  elseif kind == "keep" then
    redis.call("SET", key, value, "KEEPTTL")
    local left = redis.call("PTTL", key)
    if left >= 0 then finish = whole(now + left) end
  elseif ttl == "" then
    redis.call("SET", key, value)
  else
    redis.call("SET", key, value, "PX", ttl)
    finish = whole(now + tonumber(ttl))
  end
  redis.call("SET", clock, whole(at) .. " " .. tiebreaker, "PX", keepMs)
  answer[2 * n] = whole(at)
  answer[2 * n + 1] = finish
end
return answer`,
  memory: put,
});

function put({ call, keys, args }: ScriptContext): Reply {
  const [tiebreaker = "", keepMs = "", latest = ""] = args.map(String);
  const now = serverTimeMs(call("TIME"));
  const answer = [String(now)];
  for (let n = 0; 2 * n < keys.length; n++) {
    const [key = "", clock = ""] = keys.slice(2 * n);
    const [kind = "", value = "", ttl = ""] = args.slice(3 * n + 3);
    const at = Math.max(now * ticksPerMs, Number(latest) + 1, readTimestamp(call("GET", clock)).at + 1);
    let finish = "";
    if (kind === "delete") {
      call("DEL", key);
    } else if (kind === "keep") {
      call("SET", key, value, "KEEPTTL");
      const left = Number(call("PTTL", key));
      if (left >= 0) finish = String(now + left);
    } else if (ttl === "") {
      call("SET", key, value);
    } else {
      call("SET", key, value, "PX", ttl);
      finish = String(now + Number(ttl));
    }
    call("SET", clock, `${at} ${tiebreaker}`, "PX", keepMs);
    answer.push(String(at), finish);
  }
  return answer;
}

/** The server's time, and of each change its timestamp and expiry. */
function readPutAnswer(reply: Reply) {
  const [now, ...words] = (reply as readonly Reply[]).map(String);
  const changes: { at: number; endMs: number | undefined }[] = [];
  for (let n = 0; n + 1 < words.length; n += 2) {
    const end = words[n + 1] ?? "";
    changes.push({ at: Number(words[n]), endMs: end === "" ? undefined : Number(end) });
  }
  return { nowMs: Number(now), changes };
}

/** A write of another instance. */
export interface Apply {
  readonly key: string;
  /** "drop": deletes the key as part of a pattern, whose own time is remembered as a tombstone. */
  readonly kind: "set" | "delete" | "drop";
  readonly at: number;
  readonly value?: Argument;
  readonly endMs?: number | undefined;
}

/**
 * Repeats the writes of another instance, except for keys of which a later write is known here. Running it twice has
 * the effect of running it once.
 *
 * KEYS: of each change the key and its clock. ARGV: the origin's tiebreaker, how long to keep clocks in ms, then of
 * each change its kind (see `Apply`), its timestamp, its value, and its expiry in ms since 1970 ("": never). Returns
 * how many were applied.
 */
export const applyScript: Script = defineScript({
  name: "federation-apply",
  keys: "any",
  lua: `${timestampLua}
local tiebreaker, keepMs = ARGV[1], ARGV[2]
local applied = 0
for n = 1, #KEYS / 2 do
  local key, clock = KEYS[2 * n - 1], KEYS[2 * n]
  local kind, at, value, finish = ARGV[4 * n - 1], ARGV[4 * n], ARGV[4 * n + 1], ARGV[4 * n + 2]
  if isLater(at, tiebreaker, redis.call("GET", clock)) then
    if kind ~= "set" then
      redis.call("DEL", key)
    elseif finish == "" then
      redis.call("SET", key, value)
    else
      redis.call("SET", key, value, "PXAT", finish)
    end
    if kind ~= "drop" then redis.call("SET", clock, at .. " " .. tiebreaker, "PX", keepMs) end
    applied = applied + 1
  end
end
return applied`,
  memory: apply,
});

function apply({ call, keys, args }: ScriptContext): Reply {
  const [tiebreaker = "", keepMs = ""] = args.map(String);
  let applied = 0;
  for (let n = 0; 2 * n < keys.length; n++) {
    const [key = "", clock = ""] = keys.slice(2 * n);
    const [kind = "", at = "", value = "", finish = ""] = args.slice(4 * n + 2);
    const timestamp = { at: Number(at), tiebreaker: Number(tiebreaker) };
    if (!isLater(timestamp, readTimestamp(call("GET", clock)))) continue;
    if (kind !== "set") call("DEL", key);
    else if (finish === "") call("SET", key, value);
    else call("SET", key, value, "PXAT", finish);
    if (kind !== "drop") call("SET", clock, writeTimestamp(timestamp), "PX", keepMs);
    applied++;
  }
  return applied;
}
