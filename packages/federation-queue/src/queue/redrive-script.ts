import { defineScript, type Script } from "@continuum-cache/core";
import { fieldsLua, readFields, type StreamEntry, writeFields } from "./message-fields.ts";

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
