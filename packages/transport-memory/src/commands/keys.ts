import { compileGlob } from "@continuum-cache/core/kit";
import { type Bulk, handOut } from "../values/bulk.ts";
import { noSuchKey } from "../values/refusals.ts";
import { type CommandContext, type CommandRows, row } from "./command-row.ts";

const remove = row(-2, ({ keyspace }, keys) => keys.filter((key) => keyspace.remove(key)).length);

/** Renames a key and keeps its expiry. @returns whether it did: an existing key may prevent it. */
function rename({ keyspace }: CommandContext, from: Bulk, to: Bulk, mayReplace: boolean): boolean {
  const entry = keyspace.find(from);
  if (!entry) throw noSuchKey();
  const isThere = keyspace.peek(to) !== undefined;
  if (isThere && !mayReplace) return false;
  if (keyspace.peek(to) === entry) return true;
  keyspace.assertFits(to, entry.value.bytes);
  keyspace.remove(to);
  keyspace.remove(from);
  keyspace.put(to, entry.value, entry.expiresAtMs);
  return true;
}

export const keys: CommandRows = {
  DEL: remove,
  UNLINK: remove,
  EXISTS: row(-2, ({ keyspace }, names) => names.filter((key) => keyspace.peek(key)).length),
  TOUCH: row(-2, ({ keyspace }, names) => names.filter((key) => keyspace.find(key)).length),
  TYPE: row(2, ({ keyspace }, [key]) => keyspace.peek(key)?.value.type ?? "none"),
  RENAME: row(3, (context, [from, to]) => {
    rename(context, from, to, true);
    return "OK";
  }),
  RENAMENX: row(3, (context, [from, to]) => (rename(context, from, to, false) ? 1 : 0)),
  KEYS: row(2, ({ keyspace }, [pattern]) => [...keyspace.keys()].filter(compileGlob(pattern)).map(handOut)),
  RANDOMKEY: row(1, ({ keyspace }) => {
    const key = keyspace.random();
    return key === undefined ? null : handOut(key);
  }),
};
