// What a fallback needs of this memory beyond `Transport`: its bytes, its values, and the writes that it reports.
export { addOptions } from "./commands/sorted-sets.ts";
export { lackFor } from "./engine.ts";
export { type Entry, never } from "./keyspace/keyspace.ts";
export { parseInteger } from "./numbers/integer.ts";
export { canonicalWrites, type KeyWrite, type Otherwise } from "./replication/canonical-write.ts";
export { wholeSortedSet } from "./replication/sorted-set-writes.ts";
export { sizeOfWhole, wholeStream } from "./replication/stream-writes.ts";
export {
  type Bulk,
  bulkOfId,
  byteLength,
  bytesOverheadBytes,
  footprint,
  handOut,
  idOf,
  isWellFormed,
  sameBulk,
  toBulk,
} from "./values/bulk.ts";
export { fieldsOf } from "./values/hash.ts";
export { elementsOf } from "./values/list.ts";
export { isUnsupported } from "./values/refusals.ts";
export { idText, parseId } from "./values/stream-id.ts";
