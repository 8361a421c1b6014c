import type { Evidence } from "../evidence.ts";
import { nameOf, type Violation } from "../violation.ts";

/**
 * Objects to a read of a value that no client had begun to write to that key; things of one call happen in their
 * order.
 */
export function findPhantoms(evidence: Evidence): Violation[] {
  return evidence.reads.flatMap((read) => {
    if (read.value === null) return [];
    const write = evidence.writeOf(read.value);
    const isLater = write?.call === read.call && write.at > read.at;
    if (write?.key === read.key && write.bornUs <= read.call.endUs && !isLater) return [];
    const origin = !write
      ? "which no client wrote"
      : write.key !== read.key
        ? `which ${nameOf(write.call)} wrote to ${write.key}`
        : `before ${nameOf(write.call)} wrote it`;
    const detail = `${nameOf(read.call)} read ${read.value} from ${read.key}, ${origin}`;
    return [{ kind: "phantom", detail, key: read.key, calls: write ? [write.call, read.call] : [read.call] }];
  });
}
