import type { Deletion, Evidence, Read, Write } from "../evidence.ts";
import { nameOf, type Violation } from "../violation.ts";

/**
 * What was deleted is never served again: by the process that deleted it from the moment its call is over, by the
 * primary from the moment it has been told.
 *
 * Objects to a read of a value whose write surely came before a delete that the read surely came after. A value that
 * is still being loaded when its process deletes the key counts as written before.
 */
export function findResurrections(evidence: Evidence): Violation[] {
  return evidence.reads.flatMap((read) => {
    const write = read.value === null ? undefined : evidence.writeOf(read.value);
    if (!write || write.key !== read.key) return [];
    const deletion = evidence
      .changesOf(read.key)
      .find(
        (change): change is Deletion =>
          change.kind === "delete" && cameBefore(evidence, write, change) && isDoneFor(evidence, change, read),
      );
    if (!deletion) return [];
    const deleted = `${nameOf(deletion.call)} had deleted it after ${nameOf(write.call)} wrote it`;
    const detail = `${read.key} was ${read.value} again in ${nameOf(read.call)}, though ${deleted}`;
    return [{ kind: "resurrection", detail, key: read.key, calls: [write.call, deletion.call, read.call] }];
  });
}

function cameBefore(evidence: Evidence, write: Write, deletion: Deletion): boolean {
  const isOwn = write.call.client === deletion.call.client;
  if (isOwn && write.isLoad) return write.bornUs < deletion.call.startUs;
  // A write that was rejected may come at any time.
  if (write.call.outcome !== "ok") return false;
  return (isOwn && evidence.precedes(write, deletion)) || evidence.lastUs(write.call) < deletion.call.startUs;
}

function isDoneFor(evidence: Evidence, deletion: Deletion, read: Read): boolean {
  if (deletion.call.outcome !== "ok") return false;
  const isOwn = deletion.call.client === read.call.client;
  if (isOwn && evidence.precedes(deletion, read)) return true;
  return evidence.footing(read.call) === "primary" && evidence.lastUs(deletion.call) < read.call.startUs;
}
