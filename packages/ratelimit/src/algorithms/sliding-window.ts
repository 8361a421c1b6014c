import { type AdmissionRing, openRing } from "./admission-ring.ts";
import type { Admission } from "./admissions.ts";
import { type Counter, type CounterState, graceMs } from "./counter.ts";
import { slidingGiveBackLua, slidingWindowLua } from "./sliding-window-lua.ts";

/** The largest limit for which each call is kept with its own time. */
export const largestExactLimit = 2_000;

/** For larger limits, the times of calls are rounded up to this many parts of a window. */
const partsOfWindow = 256;

/**
 * The step to which times are rounded up, in microseconds: `extra` of this counter. Rounded down, a window could hold
 * too much.
 */
export const quantumOf = (windowUs: number, limit: number): number =>
  limit > largestExactLimit ? Math.max(1, Math.floor(windowUs / partsOfWindow)) : 1;

/**
 * A window that ends now: it holds the time and cost of each call that was admitted in it.
 *
 * Invariants: a key's time always advances, and each call of an exact window gets a time after all others, so that no
 * two have the same; the entries are in the order of their times; no entry is older than the window at the time of the
 * last write.
 */
export const slidingWindow: Counter = {
  name: "sliding",
  open(text, askedUs, { windowUs, limit, extra: quantumUs, spanUs }) {
    const ring = openRing(text, askedUs, windowUs, quantumUs > 1 ? 4 : 1);
    if (!ring) return undefined;
    const now = Math.max(askedUs, ring.lastUs + 1);
    const latest = now + spanUs;
    ring.advance(now);
    return {
      nowUs: now,
      bornUs: ring.bornUs,
      isUnsure: false,
      look: (cost) => look(ring, windowUs, limit, cost),
      charge(cost) {
        const follows = ring.newestUs + (quantumUs === 1 ? 1 : 0);
        const atUs = Math.max(Math.ceil(latest / quantumUs) * quantumUs, follows);
        ring.append(atUs, cost);
        return atUs;
      },
      giveBack: (atUs, cost) => ring.take(atUs, cost),
      merge(admissions) {
        const news = admissions
          .filter(({ bornUs, atUs }) => bornUs !== ring.bornUs && atUs > now - windowUs)
          .map(
            (admission): Admission => ({
              ...admission,
              atUs: Math.ceil(Math.min(admission.atUs, latest) / quantumUs) * quantumUs,
            }),
          );
        return news.length > 0 && ring.insert(news, quantumUs === 1);
      },
      text: () => ring.text(),
      ttlMs: () => Math.ceil((ring.lastsUs() - now) / 1_000) + graceMs,
    };
  },
  lua: slidingWindowLua,
  giveBackLua: slidingGiveBackLua,
};

function look(ring: AdmissionRing, windowUs: number, limit: number, cost: number): CounterState {
  const { total } = ring;
  const isFree = total + cost <= limit;
  if (total === 0) return { isFree, current: 0, retryAtUs: 0, moreAtUs: 0, resetAtUs: 0 };
  return {
    isFree,
    current: total,
    retryAtUs: isFree ? 0 : ring.freeing(total + cost - limit) + windowUs,
    moreAtUs: ring.oldestUs + windowUs,
    resetAtUs: ring.newestUs + windowUs,
  };
}
