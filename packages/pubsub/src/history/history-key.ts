/**
 * The key of a channel's history. Like the channel's name, it has no cache's prefix: all subscribers of the channel use
 * the same history.
 */
export function historyKey(wireChannel: string): string {
  return `continuum-cache:history:${wireChannel}`;
}
