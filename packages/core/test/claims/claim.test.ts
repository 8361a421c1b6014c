import {
  createBackgroundTask,
  createClaim,
  createExpiringSet,
  createMutex,
  hasLastingTimers,
} from "@continuum-cache/core/kit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onTheEdge, vanishing } from "../edge.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** What a promise has come to by now. */
const told = <T>(promise: Promise<T>): (() => T | undefined) => {
  let value: T | undefined;
  promise.then((result) => {
    value = result;
  });
  return () => value;
};

describe("a claim in Node", () => {
  it("has no timer of its own, and its release wakes the waiters", async () => {
    const claim = createClaim({ timeoutMs: 1_000 });
    expect(vi.getTimerCount()).toBe(0);
    const waits = [claim.released(), claim.released({ timeoutMs: 500 })];
    claim.release();
    claim.release();
    expect(await Promise.all(waits)).toEqual([true, true]);
    expect([claim.isHeld, vi.getTimerCount()]).toEqual([false, 0]);
  });

  it("stays held without renewal, and expires at its deadline", async () => {
    const claim = createClaim({ timeoutMs: 10_000 });
    const isOver = told(claim.released());
    await vi.advanceTimersByTimeAsync(9_999);
    expect([claim.isHeld, isOver()]).toEqual([true, undefined]);
    await vi.advanceTimersByTimeAsync(1);
    expect([claim.isHeld, isOver()]).toEqual([false, true]);
  });

  it("ends a wait by the time and by the signal of the waiting call", async () => {
    const claim = createClaim();
    const controller = new AbortController();
    const waits = [claim.released({ timeoutMs: 100 }), claim.released({ signal: controller.signal })];
    controller.abort();
    await vi.advanceTimersByTimeAsync(100);
    expect(await Promise.all(waits)).toEqual([false, false]);
    expect(await claim.released({ timeoutMs: 0 })).toBe(false);
    expect(await claim.released({ signal: AbortSignal.abort() })).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a claim on the edge", () => {
  beforeEach(onTheEdge);

  it("is held as long as its owner renews it", async () => {
    const claim = createClaim();
    const isOver = told(claim.released());
    await vi.advanceTimersByTimeAsync(60_000);
    expect([claim.isHeld, isOver()]).toEqual([true, undefined]);
    claim.release();
    await vi.advanceTimersByTimeAsync(25);
    expect(isOver()).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lapses soon after its owner has vanished, long before its deadline", async () => {
    const claim = vanishing(() => createClaim({ timeoutMs: 30_000 }));
    const isOver = told(claim.released({ timeoutMs: 5_000 }));
    await vi.advanceTimersByTimeAsync(200);
    expect(isOver()).toBe(true);
    expect(claim.isHeld).toBe(false);
    expect(await claim.released()).toBe(true);
  });

  it("expires with its deadline where the owner need not renew it", async () => {
    const claim = createClaim({ timeoutMs: 1_000, renewMs: Number.POSITIVE_INFINITY });
    const isOver = told(claim.released());
    await vi.advanceTimersByTimeAsync(990);
    expect([claim.isHeld, isOver()]).toEqual([true, undefined]);
    await vi.advanceTimersByTimeAsync(25);
    expect(isOver()).toBe(true);
  });

  it("is not lost to a process that was too busy to renew it", async () => {
    const claim = createClaim();
    const isOver = told(claim.released());
    await vi.advanceTimersByTimeAsync(100);
    // A second of computing: all timers are late, and fire in their order.
    const base = performance.now();
    const busy = vi.spyOn(performance, "now").mockReturnValue(base + 1_000);
    await vi.advanceTimersByTimeAsync(30);
    busy.mockRestore();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([claim.isHeld, isOver()]).toEqual([true, undefined]);
  });
});

describe("runtimes", () => {
  it.each([
    ["Node.js/22", true],
    ["Deno/2.1.4", true],
    ["Bun/1.2", true],
    ["Cloudflare-Workers", false],
    ["Mozilla/5.0", false],
  ])("%s: timers outlive the call that has set them: %s", (userAgent, lasts) => {
    vi.stubGlobal("navigator", { userAgent });
    expect(hasLastingTimers()).toBe(lasts);
  });

  it("counts Next.js' Edge runtime as one that drops timers, although it runs in Node", () => {
    vi.stubGlobal("EdgeRuntime", "edge-runtime");
    expect(hasLastingTimers()).toBe(false);
  });
});

describe("a set whose members expire", () => {
  it("forgets those that were never taken out", async () => {
    const set = createExpiringSet<string>();
    set.add("short", 100);
    set.add("long", 1_000);
    set.add("done", 1_000);
    set.delete("done");
    expect([...set]).toEqual(["short", "long"]);
    await vi.advanceTimersByTimeAsync(100);
    expect([...set]).toEqual(["long"]);
  });
});

describe("turns", () => {
  it("do one after the other, in the order in which they were asked for", async () => {
    const turns = createMutex();
    const log: string[] = [];
    const work = (name: string, ms: number) => async () => {
      log.push(`+${name}`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      log.push(`-${name}`);
      return name;
    };
    const all = [turns.run(work("a", 20)), turns.run(work("b", 5)), turns.run(work("c", 1))];
    const failed = turns.run(() => Promise.reject(new Error("no")));
    failed.catch(() => {});
    const idle = told(turns.idle());
    await vi.advanceTimersByTimeAsync(25);
    expect(idle()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(log).toEqual(["+a", "-a", "+b", "-b", "+c", "-c"]);
    expect(await Promise.all(all)).toEqual([{ result: "a" }, { result: "b" }, { result: "c" }]);
    await expect(failed).rejects.toThrow("no");
    expect(idle()).toBe(true);
  });

  it("lets a waiting call give up, and later calls still wait for earlier ones", async () => {
    const turns = createMutex();
    let finish = (): void => {};
    const first = turns.run(() => new Promise<void>((resolve) => (finish = resolve)));
    const impatient = vi.fn(async () => {});
    const left = turns.run(impatient, { timeoutMs: 10 });
    const patient = vi.fn(async () => "done");
    const last = turns.run(patient);
    await vi.advanceTimersByTimeAsync(10);
    expect(await left).toBeUndefined();
    expect(patient).not.toHaveBeenCalled();
    finish();
    await first;
    expect(await last).toEqual({ result: "done" });
    expect(impatient).not.toHaveBeenCalled();
  });

  it("pass by calls that have vanished, at work or in the line", async () => {
    onTheEdge();
    const turns = createMutex();
    vanishing(() => void turns.run(() => new Promise(() => {})));
    const inLine = vi.fn(() => new Promise(() => {}));
    vanishing(() => void turns.run(inLine));
    const next = told(turns.run(async () => "done", { timeoutMs: 1_000 }));
    await vi.advanceTimersByTimeAsync(300);
    expect(next()).toEqual({ result: "done" });
    expect(inLine).not.toHaveBeenCalled();
    expect(await turns.idle()).toBe(true);
  });
});

describe("a single run", () => {
  it("never runs twice at once, and once more when it was started meanwhile", async () => {
    let atOnce = 0;
    let runs = 0;
    const run = createBackgroundTask(async () => {
      expect(++atOnce).toBe(1);
      runs++;
      await new Promise((resolve) => setTimeout(resolve, 10));
      atOnce--;
    });
    run.start();
    run.start();
    run.start();
    expect(run.isRunning).toBe(true);
    await vi.advanceTimersByTimeAsync(20);
    expect([runs, run.isRunning]).toEqual([2, false]);
    run.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(runs).toBe(3);
    expect(await run.idle()).toBe(true);
  });

  it("is taken over when the call that started it has vanished, and the old run can tell", async () => {
    onTheEdge();
    const checks: (() => boolean)[] = [];
    const run = createBackgroundTask((isCurrent) => {
      checks.push(isCurrent);
      return checks.length === 1 ? new Promise(() => {}) : Promise.resolve();
    });
    vanishing(() => run.start());
    run.start();
    expect(checks).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    run.start();
    expect(checks.map((isCurrent) => isCurrent())).toEqual([false, true]);
    const idle = told(run.idle());
    await vi.advanceTimersByTimeAsync(25);
    expect([idle(), run.isRunning]).toEqual([true, false]);
  });
});
