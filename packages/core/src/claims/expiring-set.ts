/** A set whose members expire, for owners that can vanish before they remove them. */
export interface ExpiringSet<Member> extends Iterable<Member> {
  /** @param timeoutMs - By then its owner has removed it, or has vanished. */
  add(member: Member, timeoutMs: number): void;
  delete(member: Member): void;
}

/** Makes a set of what is in flight, in the order of its start. It sets no timers. */
export function createExpiringSet<Member>(): ExpiringSet<Member> {
  const endsMs = new Map<Member, number>();
  return {
    add(member, timeoutMs) {
      const nowMs = performance.now();
      // Only the oldest members can have expired, and few do: checking all would cost more than it frees.
      for (const [oldest, endMs] of endsMs) {
        if (endMs > nowMs) break;
        endsMs.delete(oldest);
      }
      endsMs.set(member, nowMs + timeoutMs);
    },
    delete: (member) => void endsMs.delete(member),
    *[Symbol.iterator]() {
      const nowMs = performance.now();
      for (const [member, endMs] of endsMs) {
        if (endMs > nowMs) yield member;
        else endsMs.delete(member);
      }
    },
  };
}
