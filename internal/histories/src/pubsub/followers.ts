import type { Heard } from "./history.ts";

/**
 * Finds, of all messages that were surely published after a time, the one that was handed out first. What is missing
 * from before that time should have come, or been told, before it.
 */
export function createFollowers(heard: readonly Heard[]): (endMs: number) => Heard | undefined {
  const byStart = [...heard].sort((one, other) => one.publish.startMs - other.publish.startMs);
  const firstFrom: Heard[] = [];
  for (let at = byStart.length - 1; at >= 0; at--) {
    const [own, next] = [byStart[at] as Heard, firstFrom[at + 1]];
    firstFrom[at] = next && next.index < own.index ? next : own;
  }
  return (endMs) => {
    let [from, to] = [0, byStart.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((byStart[middle] as Heard).publish.startMs > endMs) to = middle;
      else from = middle + 1;
    }
    return firstFrom[from];
  };
}
