import type { History, Life } from "../history.ts";
import { type DeliveryRecord, nameOf } from "../record.ts";
import type { Stretch } from "../replay-walk.ts";
import type { Violation } from "../violation.ts";

/**
 * A loop hears of gaps while messages from before still wait for it, so only the sum tells: what lies between its first
 * place and its last is handed out or counted. Where a gap has no count, or the loop ended before it had taken what
 * waited for it, there is no sum.
 */
export function checkLoopCount(
  { open, items, close }: Life,
  { faults }: History,
): { violations: readonly Violation[]; counted: readonly Stretch[] } {
  const placed = items.filter(
    (item): item is DeliveryRecord => item.kind === "delivery" && item.position !== undefined,
  );
  const gaps = items.filter((item) => item.kind === "gap");
  const violations: Violation[] = [];
  const stretches = new Map<number, { epoch: number; from: number; to: number; handedOut: number }>();
  let latest = typeof open.after === "object" ? open.after : undefined;
  if (latest) stretches.set(latest.epoch, { epoch: latest.epoch, from: latest.seq + 1, to: latest.seq, handedOut: 0 });
  for (const delivery of placed) {
    const { epoch, seq } = delivery.position as { epoch: number; seq: number };
    const isBack = latest && (epoch === latest.epoch ? seq <= latest.seq : epoch < latest.epoch);
    if (isBack && !gaps.some(({ missed }) => missed === undefined)) {
      const message = nameOf(delivery);
      violations.push({ kind: "reordered", subscriber: open.subscriber, message, detail: `${epoch}-${seq}` });
    }
    latest = { epoch, seq };
    const stretch = stretches.get(epoch) ?? { epoch, from: stretches.size > 0 ? 0 : seq, to: seq, handedOut: 0 };
    stretch.to = Math.max(stretch.to, seq);
    stretch.handedOut++;
    stretches.set(epoch, stretch);
  }
  const all = [...stretches.values()];
  const isWhole = close !== undefined && !close.isKilled;
  const isSummable =
    isWhole && stretches.size <= 1 && gaps.every(({ missed }) => missed !== undefined) && faults.every(isHarmless);
  const leftOut = all.reduce((sum, { from, to, handedOut }) => sum + (to - from + 1 - handedOut), 0);
  const counted = gaps.reduce((sum, { missed = 0 }) => sum + missed, 0);
  // Before the first place there may have been some that no record names.
  const isExact = open.after === undefined ? counted >= leftOut : counted === leftOut;
  if (isSummable && !isExact) {
    const kind = leftOut > counted ? "lost" : "wrong-count";
    violations.push({ kind, subscriber: open.subscriber, detail: `${leftOut} left out, ${counted} counted` });
  }
  // The end of an epoch may have been let go too.
  const reaching = all.map((stretch, at) =>
    at < all.length - 1 ? { ...stretch, to: Number.POSITIVE_INFINITY } : stretch,
  );
  return { violations, counted: counted > 0 ? reaching : [] };
}

const isHarmless = ({ forgets }: { readonly forgets?: unknown }): boolean => forgets === undefined;
