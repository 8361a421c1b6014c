import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Counter, OpenCounter } from "../../src/algorithms/counter.ts";
import { fixedWindow } from "../../src/algorithms/fixed-window.ts";
import { largestExactLimit, quantumOf, slidingWindow } from "../../src/algorithms/sliding-window.ts";
import { tokenBucket } from "../../src/algorithms/token-bucket.ts";

// Each counter is compared with a simple model of its promise, on random histories.

const windowUs = 60_000_000;
const limits = [1, 5, 100, largestExactLimit, largestExactLimit + 1, 100_000];
const steps = fc.array(
  fc.record({
    stepUs: fc.oneof(fc.nat(3), fc.nat(1_000_000), fc.nat(windowUs), fc.constantFrom(windowUs, windowUs - 1)),
    share: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    refundNth: fc.option(fc.nat(5), { freq: 6 }),
  }),
  { minLength: 1, maxLength: 120, size: "max" },
);
const history = fc.record({ limit: fc.constantFrom(...limits), steps });

interface Accepted {
  atUs: number;
  cost: number;
}

/** Runs a history, and shows each step to `check` before it takes effect. */
function run(
  counter: Counter,
  { limit, steps: each }: { limit: number; steps: { stepUs: number; share: number; refundNth: number | null }[] },
  check: (state: OpenCounter, cost: number, accepted: readonly Accepted[]) => void,
): void {
  let text: string | null = null;
  let nowUs = 1_795_000_000_000_123;
  const accepted: Accepted[] = [];
  for (const { stepUs, share, refundNth } of each) {
    nowUs += stepUs;
    const cost = Math.max(1, Math.round(limit * share));
    const extra = counter === slidingWindow ? quantumOf(windowUs, limit) : limit;
    const state = counter.open(text, nowUs, { windowUs, limit, extra, spanUs: 0 }) as OpenCounter;
    check(state, cost, accepted);
    if (state.look(cost).isFree) accepted.push({ atUs: state.charge(cost), cost });
    const refunded = refundNth === null ? undefined : accepted.splice(-1 - refundNth, 1)[0];
    if (refunded) state.giveBack(refunded.atUs, refunded.cost);
    text = state.text();
    nowUs = Math.max(nowUs, state.nowUs);
  }
}

/** Calls whose time is known from below and above only, in whatever order they reach the key. */
const inexact = fc.record({
  limit: fc.constantFrom(1, 3, 10, largestExactLimit + 1),
  calls: fc.array(
    fc.record({
      stepUs: fc.oneof(fc.nat(2_000_000), fc.nat(windowUs), fc.constantFrom(windowUs, windowUs - 1)),
      earlyUs: fc.nat(3_000_000),
      lateUs: fc.nat(3_000_000),
      lagUs: fc.oneof(fc.constant(0), fc.nat(10_000_000)),
      share: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    }),
    { minLength: 1, maxLength: 60, size: "max" },
  ),
});

type InexactCase = typeof inexact extends fc.Arbitrary<infer Case> ? Case : never;

/**
 * Accepted calls by their true times. A call that was overtaken counts as late as the ones that overtook it: it had
 * not been answered by then.
 */
function runInexact(counter: Counter, { limit, calls }: InexactCase): Accepted[] {
  let text: string | null = null;
  let trueUs = 1_795_000_000_000_123;
  const accepted: Accepted[] = [];
  const arrivals = calls.map(({ stepUs, lagUs, ...call }) => {
    trueUs += stepUs;
    return { ...call, atUs: trueUs, arrivesUs: trueUs + lagUs };
  });
  arrivals.sort((one, other) => one.arrivesUs - other.arrivesUs);
  let latestUs = 0;
  for (const { atUs, earlyUs, lateUs, share } of arrivals) {
    const cost = Math.max(1, Math.round(limit * share));
    const extra = counter === slidingWindow ? quantumOf(windowUs, limit) : limit;
    const rule = { windowUs, limit, extra, spanUs: earlyUs + lateUs };
    const first: OpenCounter = counter.open(text, atUs - earlyUs, rule) as OpenCounter;
    // Where the window itself depends on the time the script asks the server, as it does for what is refused too early.
    const state: OpenCounter = first.isUnsure
      ? (counter.open(text, atUs, { ...rule, spanUs: 0 }) as OpenCounter)
      : first;
    if (!state.look(cost).isFree) continue;
    state.charge(cost);
    latestUs = Math.max(latestUs, atUs);
    accepted.push({ atUs: latestUs, cost });
    text = state.text();
  }
  return accepted;
}

describe("with times that are known from below and above only", () => {
  it("no sliding window of true times holds more than the limit", () => {
    fc.assert(
      fc.property(inexact, (each) => {
        const accepted = runInexact(slidingWindow, each);
        for (const { atUs } of accepted) {
          const within = accepted.filter((other) => other.atUs > atUs - windowUs && other.atUs <= atUs);
          expect(sum(within)).toBeLessThanOrEqual(each.limit);
        }
      }),
      runs(300),
    );
  });

  it("no bucket gives more than it holds and what has flowed in by the true times", () => {
    fc.assert(
      fc.property(inexact, (each) => {
        let [tokens, lastUs] = [each.limit, 0];
        for (const { atUs, cost } of runInexact(tokenBucket, each)) {
          if (lastUs > 0) tokens = Math.min(each.limit, tokens + ((atUs - lastUs) * each.limit) / windowUs);
          lastUs = atUs;
          tokens -= cost;
          expect(tokens).toBeGreaterThan(-1e-6);
        }
      }),
      runs(300),
    );
  });

  it("no fixed window holds more than the limit, when calls arrive in the window in which they were asked for", () => {
    fc.assert(
      fc.property(inexact, (each) => {
        const calls = each.calls.map((call) => ({ ...call, lagUs: 0 }));
        const used = new Map<number, number>();
        for (const { atUs, cost } of runInexact(fixedWindow, { ...each, calls })) {
          const start = atUs - (atUs % windowUs);
          used.set(start, (used.get(start) ?? 0) + cost);
        }
        for (const cost of used.values()) expect(cost).toBeLessThanOrEqual(each.limit);
      }),
      runs(300),
    );
  });
});

const sum = (accepted: readonly Accepted[]): number => accepted.reduce((all, { cost }) => all + cost, 0);

describe("sliding window", () => {
  it("counts exactly the calls of the last window, up to the largest exact limit", () => {
    fc.assert(
      fc.property(history, (each) => {
        if (each.limit > largestExactLimit) return;
        run(slidingWindow, each, (state, cost, accepted) => {
          const live = accepted.filter(({ atUs }) => atUs + windowUs > state.nowUs);
          const look = state.look(cost);
          expect(look.current).toBe(sum(live));
          expect(look.isFree).toBe(sum(live) + cost <= each.limit);
          // It becomes free when the call expires whose expiry makes this amount free.
          const freeing = live.find((_, at) => sum(live.slice(at + 1)) + cost <= each.limit);
          expect(look.retryAtUs).toBe(look.isFree ? 0 : (freeing?.atUs ?? 0) + windowUs);
          expect(look.moreAtUs).toBe(live[0] ? live[0].atUs + windowUs : 0);
          expect(look.resetAtUs).toBe(live.length > 0 ? (live.at(-1)?.atUs ?? 0) + windowUs : 0);
        });
      }),
      runs(150),
    );
  });

  it("never exceeds larger limits, and frees calls at most 1/256 of a window late", () => {
    fc.assert(
      fc.property(history, (each) => {
        if (each.limit <= largestExactLimit) return;
        // Times are rounded up, so what was accepted counts from a little before the time on its receipt.
        const lateUs = quantumOf(windowUs, each.limit);
        run(slidingWindow, each, (state, cost, accepted) => {
          const { current, isFree } = state.look(cost);
          expect(current).toBe(sum(accepted.filter(({ atUs }) => atUs + windowUs > state.nowUs)));
          expect(isFree).toBe(current + cost <= each.limit);
          for (const { atUs } of accepted.slice(-1)) expect(atUs - state.nowUs).toBeLessThan(lateUs);
        });
      }),
      runs(150),
    );
  });
});

it("a fixed window holds what was accepted since it began", () => {
  fc.assert(
    fc.property(history, (each) => {
      run(fixedWindow, each, (state, cost, accepted) => {
        const startUs = state.nowUs - (state.nowUs % windowUs);
        const used = sum(accepted.filter(({ atUs }) => atUs >= startUs));
        const endUs = startUs + windowUs;
        const isFree = used + cost <= each.limit;
        const freeAtUs = used > 0 ? endUs : 0;
        expect(state.look(cost)).toEqual({
          isFree,
          current: used,
          retryAtUs: isFree ? 0 : endUs,
          moreAtUs: freeAtUs,
          resetAtUs: freeAtUs,
        });
      });
    }),
    runs(150),
  );
});

it("a token bucket never lets more through than the bucket and what has flowed in since", () => {
  fc.assert(
    fc.property(history, ({ limit, steps: all }) => {
      const each = { limit, steps: all.map((one) => ({ ...one, refundNth: null })) };
      let tokens = limit;
      let lastUs = 0;
      let count = 0;
      run(tokenBucket, each, (state, cost, accepted) => {
        if (accepted.length > count) tokens -= accepted.at(-1)?.cost ?? 0;
        count = accepted.length;
        if (lastUs > 0) tokens = Math.min(limit, tokens + ((state.nowUs - lastUs) * limit) / windowUs);
        lastUs = state.nowUs;
        const look = state.look(cost);
        // A token's time is rounded up by less than 1/1024 µs: next to nothing, and never in the caller's favour.
        if (look.isFree) expect(tokens + 1e-6).toBeGreaterThanOrEqual(cost);
        else expect(tokens).toBeLessThan(cost + 1e-3);
        if (!look.isFree) {
          const waitUs = look.retryAtUs - state.nowUs;
          expect(Math.abs(tokens + (waitUs * limit) / windowUs - cost)).toBeLessThan(0.01 + limit / windowUs);
        }
      });
    }),
    runs(150),
  );
});
