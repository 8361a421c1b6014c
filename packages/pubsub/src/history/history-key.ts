/**
 * Where a channel's history is kept. Like the channel's own name it has no prefix of any cache before it: all who hear the
 * channel count by the same history.
 */
export function historyKey(wireChannel: string): string {
  return `continuum-cache:history:${wireChannel}`;
}
