import { type Command, defineScript } from "@continuum-cache/core";

const script = defineScript({
  name: "drop-matching",
  keys: 0,
  lua: `
    local keys = redis.call("KEYS", ARGV[1])
    for _, key in ipairs(keys) do redis.call("UNLINK", key) end
    return #keys`,
  memory({ call, args: [glob = ""] }) {
    const keys = call("KEYS", glob) as readonly string[];
    for (const key of keys) call("UNLINK", key);
    return keys.length;
  },
});

/** Deletes all keys of the memory that match a glob, with nothing else in between. */
export function dropMatching(glob: string): Command {
  return ["EVAL", script.lua, 0, glob];
}
