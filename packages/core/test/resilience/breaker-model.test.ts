import { TransportError, type TransportErrorKind } from "@continuum-cache/core";
import { type Breaker, type BreakerPermit, createBreaker, isOutage } from "@continuum-cache/core/kit";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

const failuresToOpen = 3;
const firstWaitMs = 100;
const longestWaitMs = 1_000;

const error = fc
  .record({
    kind: fc.constantFrom<TransportErrorKind>(
      "unreachable",
      "unreachable",
      "timeout",
      "protocol",
      "quota",
      "unauthorized",
      "aborted",
      "closed",
      "too-large",
    ),
    delivery: fc.constantFrom("none" as const, "unknown" as const),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 3_000 }), { nil: undefined }),
  })
  .map(
    ({ kind, delivery, retryAfterMs }) =>
      new TransportError(kind, "down", {
        transport: "test",
        delivery,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }),
  );

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ step: fc.constant("enter" as const) }) },
    { weight: 4, arbitrary: fc.record({ step: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 240 }) }) },
    {
      weight: 3,
      arbitrary: fc.record({ step: fc.constantFrom("succeeded" as const, "release" as const), of: fc.nat() }),
    },
    { weight: 6, arbitrary: fc.record({ step: fc.constant("failed" as const), of: fc.nat(), error }) },
    { weight: 1, arbitrary: fc.record({ step: fc.constant("reported" as const), error }) },
  ),
  { maxLength: 120, size: "max" },
);

/**
 * What a breaker should do, told from its history: nothing here is kept up to date but the list of what happened, and
 * each question goes through all of it.
 */
function createModel() {
  const counted: ("success" | TransportError)[] = [];
  const openings: { atMs: number; ownMs: number; untilMs: number; cause: TransportError }[] = [];
  let state: Breaker["state"] = "closed";
  let closedAtMs = Number.NEGATIVE_INFINITY;

  const asked = (failure: TransportError): number => failure.retryAfterMs ?? 0;
  const open = (cause: TransportError, nowMs: number): void => {
    const last = openings.at(-1);
    const calmed = state === "closed" && (!last || nowMs - closedAtMs >= Math.min(last.ownMs, longestWaitMs / 1.25));
    const ownMs = !last || calmed ? firstWaitMs : Math.min(last.ownMs * 2, longestWaitMs);
    const waitMs = Math.max(Math.min(ownMs, longestWaitMs / 1.25), asked(cause));
    openings.push({ atMs: nowMs, ownMs, untilMs: nowMs + waitMs, cause });
    state = "open";
  };

  return {
    get state() {
      return state;
    },
    cause: () => (state === "closed" ? undefined : openings.at(-1)?.cause),
    waitMs: (nowMs: number) => (state === "open" ? Math.max(0, (openings.at(-1)?.untilMs ?? 0) - nowMs) : 0),
    enter(nowMs: number, isProbeOut: boolean): BreakerPermit | undefined {
      if (state === "closed") return "call";
      if (isProbeOut || this.waitMs(nowMs) > 0) return undefined;
      state = "half-open";
      return "probe";
    },
    succeeded(permit: BreakerPermit, nowMs: number): void {
      if (state === "closed") counted.push("success");
      else if (permit === "probe") {
        counted.length = 0;
        closedAtMs = nowMs;
        state = "closed";
      }
    },
    failed(failure: TransportError, permit: BreakerPermit, nowMs: number): void {
      if (!isOutage(failure)) return;
      if (state === "closed") {
        counted.push(failure);
        const row = counted.slice(-failuresToOpen);
        const isRow = row.length === failuresToOpen && !row.includes("success");
        if (isRow || failure.kind === "quota" || failure.kind === "unauthorized") open(failure, nowMs);
      } else if (permit === "probe") open(failure, nowMs);
      else if (state === "open") {
        const last = openings.at(-1);
        if (!last || nowMs + asked(failure) <= Math.max(last.untilMs, nowMs)) return;
        last.untilMs = nowMs + asked(failure);
        last.cause = failure;
      }
    },
  };
}

describe("any sequence of calls, outcomes and time", () => {
  it("moves a breaker as its model says, and never lets two probes out", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        let nowMs = 5_000;
        const breaker = createBreaker({
          failures: failuresToOpen,
          sample: false,
          wait: "100ms",
          maxWait: "1s",
          clock: { now: () => nowMs },
          random: () => 0.5,
        });
        const heard: Breaker["state"][] = [];
        breaker.onChange((state) => heard.push(state));
        const model = createModel();
        const expected: Breaker["state"][] = [];
        const inside: BreakerPermit[] = [];
        const leaves = (of: number): BreakerPermit => inside.splice(of % inside.length, 1)[0] ?? "call";

        for (const step of sequence) {
          const before = model.state;
          if (step.step === "pass") nowMs += step.ms;
          else if (step.step === "enter") {
            const permit = breaker.acquire();
            expect(permit).toBe(model.enter(nowMs, inside.includes("probe")));
            if (permit) inside.push(permit);
          } else if (step.step === "reported") {
            breaker.failed(step.error, "call");
            model.failed(step.error, "call", nowMs);
          } else if (inside.length > 0) {
            const permit = leaves(step.of);
            if (step.step === "failed") {
              breaker.failed(step.error, permit);
              model.failed(step.error, permit, nowMs);
            } else {
              breaker[step.step](permit);
              if (step.step === "succeeded") model.succeeded(permit, nowMs);
            }
          }
          if (model.state !== before) expected.push(model.state);
          expect(inside.filter((permit) => permit === "probe").length).toBeLessThanOrEqual(1);
          expect(breaker.state).toBe(model.state);
          expect(breaker.cause).toBe(model.cause());
          expect(breaker.waitMs).toBe(model.waitMs(nowMs));
        }
        expect(heard).toEqual(expected);
      }),
      runs(200),
    );
  });

  it("opens by the share of failures as a list of the last calls would, within a tenth of the window", () => {
    const windowMs = 1_000;
    const call = fc.record({
      failed: fc.boolean(),
      afterMs: fc.oneof(fc.integer({ min: 0, max: 150 }), fc.nat(2_500)),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 80, size: "max" }), (calls) => {
        let nowMs = 0;
        const sample = { ratio: 0.5, atLeast: 8, window: "1s" } as const;
        const breaker = createBreaker({ failures: 1_000, sample, clock: { now: () => nowMs } });
        const made: { atMs: number; failed: boolean }[] = [];
        for (const { failed, afterMs } of calls) {
          nowMs += afterMs;
          made.push({ atMs: nowMs, failed });
          if (failed) breaker.failed(new TransportError("timeout", "late", { transport: "test" }), "call");
          else breaker.succeeded("call");
          // It looks back by nine to ten tenths: it must be one of these that it has judged by.
          const verdicts = Array.from({ length: 101 }, (_, more) => {
            const seen = made.filter(({ atMs }) => atMs > nowMs - windowMs + more);
            const failures = seen.filter((one) => one.failed).length;
            return failed && seen.length >= sample.atLeast && failures >= sample.ratio * seen.length;
          });
          expect(verdicts).toContain(breaker.state === "open");
          if (breaker.state === "open") return;
        }
      }),
      runs(100),
    );
  });
});
