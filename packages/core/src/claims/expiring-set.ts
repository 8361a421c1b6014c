/** A set whose members leave by themselves, should their owners vanish before they take them out. */
export interface ExpiringSet<Member> extends Iterable<Member> {
  /** @param timeoutMs - By then its owner has taken it out, or is gone. */
  add(member: Member, timeoutMs: number): void;
  delete(member: Member): void;
}

/** Makes a set for what is under way, in the order in which it began. It sets no timers. */
export function createExpiringSet<Member>(): ExpiringSet<Member> {
  const endsMs = new Map<Member, number>();
  return {
    add(member, timeoutMs) {
      const nowMs = performance.now();
      // Few are ever over, and those are the oldest: looking further would cost more than it frees.
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
