/** What the scripts of a log share: the same as `registry.ts`, and the last id of a stream, which outlives its entries. */
export const registryLua = `
local function registered(text)
  local holder, since, untilMs, last = string.match(text or "", "^(%S+) (%d+) (%d+) (%d+%-%d+)$")
  return holder or "-", tonumber(since or 0), tonumber(untilMs or 0), last or "0-0"
end
local function lastOf(key)
  local info = redis.pcall("XINFO", "STREAM", key)
  if info.err then
    if string.find(info.err, "no such key", 1, true) then return "0-0" end
    return nil, info
  end
  for n = 1, #info - 1, 2 do
    if info[n] == "last-generated-id" then return info[n + 1] end
  end
  return "0-0"
end
local function whole(n) return string.format("%.0f", n) end
local function serverMs()
  local t = redis.call("TIME")
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end`;
