/** As much is encoded and written in one go, in bytes of records. */
const groupBytes = 1 << 20;

/** The records in order, in groups of up to 1 MiB, so that no single write takes long or needs much memory. */
export function* recordGroups(records: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let group: Uint8Array[] = [];
  let bytes = 0;
  for (const record of records) {
    if (group.length > 0 && bytes + record.length > groupBytes) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(record);
    bytes += record.length;
  }
  if (group.length > 0) yield group;
}
