import {
  type Command,
  ConfigError,
  guarded,
  type Transport,
  TransportError,
  type TransportErrorKind,
} from "@continuum-cache/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const failing = (kind: TransportErrorKind, times: number, delivery: "none" | "unknown" = "unknown") => {
  let sent = 0;
  const transport: Transport = {
    name: "failing",
    async send(commands) {
      if (sent++ < times) throw new TransportError(kind, "down", { transport: "failing", delivery });
      return commands.map(() => "OK");
    },
    async close() {},
  };
  return { transport, sent: () => sent };
};

const get: Command = ["GET", "a"];
const increment: Command = ["INCR", "a"];

describe("a guarded transport", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  const run = async <T>(call: Promise<T>): Promise<PromiseSettledResult<T>> => {
    const outcome = Promise.allSettled([call]);
    await vi.runAllTimersAsync();
    return (await outcome)[0];
  };

  it("repeats a read that could not be delivered, up to three times", async () => {
    const { transport, sent } = failing("unreachable", 3);
    expect(await run(guarded(transport).send([get]))).toMatchObject({ status: "fulfilled", value: ["OK"] });
    expect(sent()).toBe(4);
  });

  it("gives up after that with the last error", async () => {
    const { transport, sent } = failing("unreachable", 9);
    expect(await run(guarded(transport).send([get]))).toMatchObject({
      status: "rejected",
      reason: { kind: "unreachable" },
    });
    expect(sent()).toBe(4);
  });

  it("never repeats a write that may have arrived and would count twice", async () => {
    const { transport, sent } = failing("unreachable", 9);
    await run(guarded(transport).send([get, increment]));
    expect(sent()).toBe(1);
  });

  it("repeats any write that surely never left", async () => {
    const { transport, sent } = failing("unreachable", 1, "none");
    expect(await run(guarded(transport).send([increment]))).toMatchObject({ status: "fulfilled" });
    expect(sent()).toBe(2);
  });

  it.each<TransportErrorKind>(["timeout", "unauthorized", "quota", "too-large", "protocol", "closed", "aborted"])(
    "does not repeat after %s",
    async (kind) => {
      const { transport, sent } = failing(kind, 9, "none");
      await run(guarded(transport).send([get]));
      expect(sent()).toBe(1);
    },
  );

  it("does not retry a trip after its caller has given up", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const { transport, sent } = failing("unreachable", 9, "none");
    let isWanted = true;
    const call = guarded(transport).send([get], { isWanted: () => isWanted });
    // The first attempt has failed, and the second waits.
    await vi.advanceTimersByTimeAsync(0);
    isWanted = false;
    expect(await run(call)).toMatchObject({ status: "rejected", reason: { kind: "unreachable", delivery: "none" } });
    expect(sent()).toBe(1);
  });

  it("keeps all attempts within one deadline", async () => {
    const { transport } = failing("unreachable", 1_000);
    const startedAt = performance.now();
    await run(guarded(transport, { retries: 1_000, timeout: "2s" }).send([get]));
    expect(performance.now() - startedAt).toBeLessThanOrEqual(2_000);
  });

  it("stops waiting when it is aborted or closed, and leaves no timer", async () => {
    const { transport } = failing("unreachable", 9);
    const controller = new AbortController();
    const call = guarded(transport).send([get], { signal: controller.signal });
    const outcome = expect(call).rejects.toMatchObject({ kind: "aborted" });
    await vi.advanceTimersByTimeAsync(0);
    controller.abort();
    await outcome;
    const closing = guarded(transport);
    const waiting = expect(closing.send([get])).rejects.toMatchObject({ kind: "closed" });
    await vi.advanceTimersByTimeAsync(0);
    await closing.close();
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("refuses options that can't be, quoting them", () => {
    const { transport } = failing("closed", 0);
    expect(() => guarded(transport, { retries: -1 })).toThrow(
      /Expected `retries` to be a whole number of at least 0, got -1/,
    );
    expect(() => guarded(transport, { timeout: 0 })).toThrow(/`timeout`/);
    expect(() => guarded(transport, { retry: 3 } as object)).toThrow(/guarded has no option "retry".*`retries`/);
    for (const options of [
      { retries: 0.5 },
      { timeout: "soon" as "1s" },
      { breaker: { wait: -1 } },
      { retry: 3 } as object,
    ]) {
      expect(() => guarded(transport, options)).toThrow(ConfigError);
    }
  });
});
