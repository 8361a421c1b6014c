import type { Reply } from "@continuum-cache/core";
import { defineScript, type Script } from "@continuum-cache/core/kit";
import { rowsOf } from "./message-fields.ts";
import { group } from "./settings.ts";

/**
 * Removes consumers without leases: one by its name, or all that have been idle for long. A consumer with leases stays,
 * since its leases would go with it.
 *
 * KEYS: the streams. ARGV: a consumer's name ("": all), and the least idle time in ms.
 * Returns how many were removed.
 */
export const forgetConsumersScript: Script = defineScript({
  name: "queue-forget-consumers",
  keys: "any",
  lua: `
local name, idle, removed = ARGV[1], tonumber(ARGV[2]), 0
for _, key in ipairs(KEYS) do
  local consumers = redis.pcall("XINFO", "CONSUMERS", key, "${group}")
  if not consumers.err then
    for _, row in ipairs(consumers) do
      local c = {}
      for n = 1, #row - 1, 2 do c[row[n]] = row[n + 1] end
      if c.pending == 0 and c.idle >= idle and (name == "" or name == c.name) then
        redis.call("XGROUP", "DELCONSUMER", key, "${group}", c.name)
        removed = removed + 1
      end
    end
  end
end
return removed`,
  memory: ({ call, keys, args }) => {
    const [name = "", idle = "0"] = args.map(String);
    let removed = 0;
    for (const key of keys) {
      for (const row of rowsOf(() => call("XINFO", "CONSUMERS", key, group))) {
        const isMeant = name === "" || name === row["name"];
        if (row["pending"] !== 0 || Number(row["idle"]) < Number(idle) || !isMeant) continue;
        call("XGROUP", "DELCONSUMER", key, group, row["name"] as Exclude<Reply, null | readonly Reply[] | Error>);
        removed++;
      }
    }
    return removed;
  },
});
