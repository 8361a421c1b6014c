import { isTransportError } from "@continuum-cache/core";
import { withDeadline } from "@continuum-cache/core/kit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

describe("a deadline", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const never = () => new Promise<never>(() => {});

  it("rejects with kind timeout when the work does not end, and aborts its signal", async () => {
    let told: AbortSignal | undefined;
    const call = withDeadline("test", { timeoutMs: 100 }, (signal) => {
      told = signal;
      return never();
    });
    const outcome = expect(call).rejects.toMatchObject({ kind: "timeout", transport: "test", delivery: "unknown" });
    await vi.advanceTimersByTimeAsync(100);
    await outcome;
    expect(told?.aborted).toBe(true);
  });

  it("is 5 s unless the caller says otherwise", async () => {
    const outcome = expect(withDeadline("test", undefined, never)).rejects.toMatchObject({ kind: "timeout" });
    await vi.advanceTimersByTimeAsync(5_000);
    await outcome;
  });

  it("lets the caller's signal end it sooner, with the reason as cause", async () => {
    const controller = new AbortController();
    const outcome = expect(withDeadline("test", { signal: controller.signal }, never)).rejects.toMatchObject({
      kind: "aborted",
      cause: "enough",
    });
    controller.abort("enough");
    await outcome;
  });

  it("does not begin when the signal has fired already", async () => {
    const work = vi.fn(never);
    await expect(withDeadline("test", { signal: AbortSignal.abort() }, work)).rejects.toMatchObject({
      delivery: "none",
    });
    expect(work).not.toHaveBeenCalled();
  });

  it("that no timer can hold does not fire at once", async () => {
    const outcome = withDeadline("test", { timeoutMs: Number.POSITIVE_INFINITY }, async () => "done");
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toBe("done");
  });

  it("leaves no timer behind", async () => {
    await withDeadline("test", {}, async () => 1);
    await withDeadline("test", {}, () => Promise.reject(new Error("no"))).catch(() => {});
    expect(vi.getTimerCount()).toBe(0);
  });

  it("swallows a failure that comes after the deadline", async () => {
    let fail: (error: Error) => void = () => {};
    const call = withDeadline("test", { timeoutMs: 1 }, () => new Promise((_, reject) => (fail = reject)));
    const outcome = call.catch((error) => isTransportError(error));
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome).toBe(true);
    fail(new Error("late"));
    await vi.advanceTimersByTimeAsync(0);
  });
});
