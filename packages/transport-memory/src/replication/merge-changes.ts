import { type Bulk, sameBulk } from "../values/bulk.ts";
import { idText, parseId } from "../values/stream-id.ts";
import type { KeyCommand } from "./canonical-write.ts";

/**
 * Appends a change to those of one key. It replaces the last one if both write the same fields, or adds to the same
 * field.
 */
export function appendChange(changes: KeyCommand[], { name, args, otherwise }: KeyCommand): void {
  const last = changes.at(-1);
  if (last?.name === name && last.args.length === args.length) {
    if (name === "HSET" && args.every((arg, at) => at % 2 === 1 || sameBulk(arg, last.args[at] as Bulk))) changes.pop();
    const [field, difference] = args;
    if (name === "HINCRBY" && sameBulk(field as Bulk, last.args[0] as Bulk)) {
      changes.pop();
      changes.push({ name, args: [field as Bulk, String(BigInt(String(difference)) + BigInt(String(last.args[1])))] });
      return;
    }
  }
  changes.push({ name, args, ...(otherwise && { otherwise }) });
}

/**
 * Removes the changes that an XDEL undoes. An entry that was appended and deleted again need not be appended at the
 * primary: there it might get another id, and could not be deleted.
 */
export function dropUndone(changes: KeyCommand[], { name, args: ids }: KeyCommand): void {
  if (name !== "XDEL") return;
  const deleted = new Set<Bulk>(ids.map((id) => idText(parseId(id, 0n))));
  for (let at = changes.length - 1; at >= 0; at--) {
    const { otherwise, args } = changes[at] as KeyCommand;
    if (otherwise?.place === 0 && deleted.has(args[0] as Bulk)) changes.splice(at, 1);
  }
}
