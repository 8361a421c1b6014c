// What a fallback needs of this memory beyond `Transport`: its bytes, its entries, and the writes that it reports.
export { lackFor } from "./engine.ts";
export { type Entry, never } from "./keyspace/keyspace.ts";
export { parseInteger } from "./numbers/integer.ts";
export type { KeyCommand, KeyWrite, Otherwise } from "./replication/canonical-write.ts";
export { canonicalWrites } from "./replication/canonical-writes.ts";
export { appendChange, dropUndone } from "./replication/merge-changes.ts";
export { isWholeShorter, wholeOf } from "./replication/whole-value.ts";
export { commandOf, inParts, keyCommandOf } from "./replication/write-command.ts";
export {
  type Bulk,
  bulkOfId,
  byteLength,
  bytesOverheadBytes,
  footprint,
  idOf,
  isWellFormed,
  toBulk,
} from "./values/bulk.ts";
export { isUnsupported } from "./values/refusals.ts";
