import type { Reply } from "@continuum-cache/core";
import { defineScript, type Script } from "@continuum-cache/core/kit";
import { maintainInMemory } from "./maintenance-in-memory.ts";
import { fieldsLua } from "./message-fields.ts";
import { group } from "./settings.ts";

/**
 * Gives out delayed messages that are due and, as new entries, messages whose leases have expired. Moves messages that
 * are too old or have crashed too often to the dead letters. Deletes acked entries.
 *
 * KEYS: the set of delayed messages, the dead letters, the retry stream, then the stream of each priority. ARGV: lease
 * in ms, most crashes, retention in ms, the age in ms from which on acked entries are deleted ("": none are deleted
 * this time), the most messages of each kind to move, then the priorities' names. Returns the server's time in ms, the
 * number of leases, whether there is more to do (0 or 1), when the next delayed message is due in ms ("": none), how
 * many messages were recovered, the names of the streams that got messages, and id and reason of each dead letter.
 */
export const maintenanceScript: Script = defineScript({
  name: "queue-maintenance",
  keys: "any",
  lua: `${fieldsLua}
local delayed, dead, retry = KEYS[1], KEYS[2], KEYS[3]
local lease, maxCrashes, retention = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local kept, batch = tonumber(ARGV[4]), tonumber(ARGV[5])
local now = serverMs()
local expired = whole(math.max(0, now - retention))
local stream, nameOf = {}, {}
for n = 4, #KEYS do stream[ARGV[n + 2]], nameOf[KEYS[n]] = KEYS[n], ARGV[n + 2] end
local pending, more, recovered, woken, died, isWoken = 0, 0, 0, {}, {}, {}
local function add(key, m)
  redis.call("XADD", key, "*", unpack(words(m)))
  local name = nameOf[key] or "retry"
  if key ~= dead and not isWoken[name] then
    isWoken[name] = true
    woken[#woken + 1] = name
  end
end
local function deadLetter(m, reason)
  m.r = reason
  add(dead, m)
  died[#died + 1] = m.i
  died[#died + 1] = reason
end
local function before(a, b)
  local ams, aseq = string.match(a, "^(%d+)%-(%d+)$")
  local bms, bseq = string.match(b, "^(%d+)%-(%d+)$")
  if ams ~= bms then return tonumber(ams) < tonumber(bms) end
  return tonumber(aseq) < tonumber(bseq)
end

local function nextDue() return redis.call("ZRANGE", delayed, 0, 0, "WITHSCORES")[2] or "" end
local nextAt = nextDue()
if nextAt ~= "" and tonumber(nextAt) <= now then
  local due = redis.call("ZRANGEBYSCORE", delayed, "-inf", whole(now), "WITHSCORES", "LIMIT", 0, batch)
  local members = {}
  for n = 1, #due, 2 do
    local m = unpacked(due[n], due[n + 1])
    if m then
      local own = m.f == "0" and m.c == "0" and stream[m.p]
      if own then m.p = nil end
      add(own or retry, m)
    else
      deadLetter({i = "", e = due[n], d = "It is not a delayed message"}, "unreadable")
    end
    members[#members + 1] = due[n]
  end
  redis.call("ZREM", delayed, unpack(members))
  if #members == batch then more = 1 end
  nextAt = nextDue()
end

for n = 3, #KEYS do
  local key = KEYS[n]
  local groups = redis.pcall("XINFO", "GROUPS", key)
  if groups.err then groups = {} end
  for _, row in ipairs(groups) do
    local g = {}
    for w = 1, #row - 1, 2 do g[row[w]] = row[w + 1] end
    if g.name == "${group}" then
      local ended = {}
      if g.pending > 0 then
        for _, lost in ipairs(redis.call("XPENDING", key, "${group}", "IDLE", lease, "-", "+", batch)) do
          ended[#ended + 1] = lost[1]
          local entry = redis.call("XRANGE", key, lost[1], lost[1])[1]
          if entry then
            local m = read(entry)
            m.p = m.p or nameOf[key]
            m.c = tostring(tonumber(m.c) + 1)
            local since = m.w and m.w ~= "" and m.w or m.t
            if now - tonumber(since) > retention then deadLetter(m, "expired")
            elseif tonumber(m.c) > maxCrashes then deadLetter(m, "crashed")
            else
              add(retry, m)
              recovered = recovered + 1
            end
          end
        end
        if #ended > 0 then
          redis.call("XACK", key, "${group}", unpack(ended))
          redis.call("XDEL", key, unpack(ended))
        end
        if #ended == batch then more = 1 end
      end
      local last = g["last-delivered-id"]
      if g.lag ~= 0 then
        local old = redis.call("XRANGE", key, "(" .. last, expired, "COUNT", batch)
        local gone = {}
        for _, entry in ipairs(old) do
          local m = read(entry)
          m.p = m.p or nameOf[key]
          deadLetter(m, "expired")
          gone[#gone + 1] = entry[1]
        end
        if #gone > 0 then redis.call("XDEL", key, unpack(gone)) end
        if #gone == batch then more = 1 end
      end
      local left = g.pending - #ended
      pending = pending + left
      if kept then
        local ms, seq = string.match(last, "^(%d+)%-(%d+)$")
        local cut = #seq > 15 and last or ms .. "-" .. whole(tonumber(seq) + 1)
        local young = string.format("%.0f-0", math.max(0, now - kept))
        if before(young, cut) then cut = young end
        if left > 0 then
          local first = redis.call("XPENDING", key, "${group}", "-", "+", 1)[1]
          if first and before(first[1], cut) then cut = first[1] end
        end
        redis.call("XTRIM", key, "MINID", cut)
      end
    end
  end
end
if kept then redis.call("XTRIM", dead, "MINID", expired) end
return {whole(now), pending, more, nextAt, recovered, woken, died}`,
  memory: maintainInMemory,
});

export interface MaintenanceResult {
  /** The number of leases. */
  readonly pending: number;
  readonly hasMore: boolean;
  /** In how many ms the next delayed message is due. */
  readonly nextDueInMs: number | undefined;
  readonly recovered: number;
  /** The names of the streams that got messages. */
  readonly woken: readonly string[];
  readonly died: readonly { readonly id: string; readonly reason: string }[];
}

export function readMaintenanceResult(reply: Reply): MaintenanceResult {
  const [now, pending, more, nextDue, recovered, woken, died] = reply as readonly Reply[];
  const pairs = (died ?? []) as readonly string[];
  // A score may be infinite.
  const dueMs = Number(nextDue);
  return {
    pending: Number(pending),
    hasMore: more === 1,
    nextDueInMs: nextDue === "" || !Number.isFinite(dueMs) ? undefined : Math.max(0, dueMs - Number(now)),
    recovered: Number(recovered),
    woken: (woken ?? []) as readonly string[],
    died: pairs.flatMap((id, at) => (at % 2 === 0 ? [{ id, reason: pairs[at + 1] ?? "" }] : [])),
  };
}
