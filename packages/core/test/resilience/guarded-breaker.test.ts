import {
  CommandError,
  type GuardOptions,
  guarded,
  type Reply,
  type Transport,
  TransportError,
  type TransportErrorDetails,
  type TransportErrorKind,
} from "@continuum-cache/core";
import type { BreakerChange, BreakerOptions } from "@continuum-cache/core/kit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

type Outcome = "OK" | Error | "silence";

const down = (kind: TransportErrorKind = "unreachable", details: Partial<TransportErrorDetails> = {}) =>
  new TransportError(kind, "the host is down", { transport: "counting", ...details });

/** Counts what reaches it, and answers as the test says at that moment, after `delayMs`. */
const counting = (outcome: Outcome, delayMs = 1) => {
  const server = { outcome, delayMs, sent: 0, settled: 0 };
  const transport: Transport = {
    name: "counting",
    async send(commands): Promise<Reply[]> {
      server.sent++;
      const answer = server.outcome;
      await new Promise((resolve) => setTimeout(resolve, server.delayMs));
      if (answer === "silence") return new Promise<never>(() => {});
      if (answer instanceof Error) throw answer;
      return commands.map(() => answer);
    },
    async close() {},
  };
  return { server, transport };
};

const steady: BreakerOptions = { random: () => 0.5 };
const get = ["GET", "a"] as const;

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] }));
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** How calls end, once every timer has fired. */
const endings = async (calls: readonly Promise<unknown>[]): Promise<unknown[]> => {
  const settled = Promise.allSettled(calls);
  await vi.runAllTimersAsync();
  return (await settled).map((one) => (one.status === "fulfilled" ? one.value : one.reason));
};
const ending = async (call: Promise<unknown>): Promise<unknown> => (await endings([call]))[0];

/** A guarded transport whose breaker has just opened. */
const opened = async (outcome: TransportError, options: GuardOptions = {}) => {
  const { server, transport } = counting(outcome);
  const changes: BreakerChange[] = [];
  const front = guarded(transport, {
    retries: 0,
    breaker: steady,
    onBreaker: (change) => changes.push(change),
    ...options,
  });
  for (let call = 0; changes.length === 0 && call < 50; call++) await ending(front.send([get]));
  server.sent = 0;
  return { server, front, changes };
};

describe("a guarded transport whose breaker is open", () => {
  it("rejects at once with the cause, the remaining wait and advice, and sends nothing", async () => {
    const cause = down();
    const { server, front } = await opened(cause);
    const error = await ending(front.send([["INCR", "a"]]));
    expect(error).toMatchObject({ kind: "unreachable", delivery: "none", transport: "counting", retryAfterMs: 250 });
    expect((error as Error).cause).toBe(cause);
    expect((error as Error).message).toBe(
      "Not sent, the circuit breaker is open: unreachable (look at the server and the network); " +
        "in 250 ms a call may try again. What opened it: the host is down",
    );
    expect(server.sent).toBe(0);
  });

  it("sends one probe, not fifty, when fifty calls come as its wait is over", async () => {
    const { server, front } = await opened(down());
    await vi.advanceTimersByTimeAsync(250);
    server.outcome = "OK";
    const results = await endings(Array.from({ length: 50 }, () => front.send([get])));
    expect(server.sent).toBe(1);
    expect(results[0]).toEqual(["OK"]);
    for (const error of results.slice(1)) {
      expect(error).toMatchObject({ kind: "unreachable", delivery: "none", retryAfterMs: undefined });
      expect((error as Error).message).toContain("one call is just trying again");
    }
    const after = await endings(Array.from({ length: 50 }, () => front.send([get])));
    expect(after).toEqual(Array(50).fill(["OK"]));
    expect(server.sent).toBe(51);
  });

  it("sends one probe a wait, and waits longer, while they fail", async () => {
    const { server, front } = await opened(down());
    for (const waitMs of [250, 500, 1_000]) {
      await endings(Array.from({ length: 50 }, () => front.send([get])));
      expect(server.sent).toBe(0);
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      await endings([front.send([get])]);
      expect(server.sent).toBe(0);
      await vi.advanceTimersByTimeAsync(1);
      await endings(Array.from({ length: 50 }, () => front.send([get])));
      expect(server.sent).toBe(1);
      server.sent = 0;
    }
  });

  it("says in every rejection that the token is wrong, and calls the listener", async () => {
    const { front, changes } = await opened(down("unauthorized"));
    expect(changes).toMatchObject([{ state: "open", cause: { kind: "unauthorized" } }]);
    for (let call = 0; call < 3; call++) {
      const error = await ending(front.send([get]));
      expect(error).toMatchObject({ kind: "unauthorized", delivery: "none" });
      expect((error as Error).message).toMatch(/only a person can fix it: correct the token/);
    }
  });

  it("waits for as long as the server asked, and then sends one probe", async () => {
    const { server, front } = await opened(down("quota", { retryAfterMs: 60_000 }));
    expect(await ending(front.send([get]))).toMatchObject({ kind: "quota", retryAfterMs: 60_000 });
    await vi.advanceTimersByTimeAsync(59_999);
    await ending(front.send([get]));
    expect(server.sent).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    server.outcome = "OK";
    expect(await ending(front.send([get]))).toEqual(["OK"]);
  });

  it("calls the listener on each change, with the cause while there is one", async () => {
    const { server, front, changes } = await opened(down());
    server.outcome = "OK";
    await vi.advanceTimersByTimeAsync(250);
    await ending(front.send([get]));
    expect(changes.map(({ state, cause }) => [state, cause?.kind])).toEqual([
      ["open", "unreachable"],
      ["half-open", "unreachable"],
      ["closed", undefined],
    ]);
    expect(changes.at(-1)).not.toHaveProperty("cause");
  });

  it("gives a probe's place back when its caller aborts", async () => {
    const { server, front } = await opened(down());
    await vi.advanceTimersByTimeAsync(250);
    server.outcome = "silence";
    const controller = new AbortController();
    const probe = front.send([get], { signal: controller.signal });
    controller.abort();
    expect(await ending(probe)).toMatchObject({ kind: "aborted" });
    server.outcome = "OK";
    expect(await ending(front.send([get]))).toEqual(["OK"]);
  });

  it("waits longer after a probe that fails, also when an earlier call has failed meanwhile", async () => {
    const { server, transport } = counting(down(), 400);
    const front = guarded(transport, { retries: 0, breaker: { ...steady, failures: 1 } });
    const late = expect(front.send([get])).rejects.toBeDefined();
    server.delayMs = 1;
    const opener = expect(front.send([get])).rejects.toBeDefined();
    // The breaker opened after 1 ms; the probe goes at 300 and fails at 500, the late one fails at 400.
    await vi.advanceTimersByTimeAsync(300);
    server.delayMs = 200;
    const probe = expect(front.send([get])).rejects.toBeDefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(await ending(front.send([get]))).toMatchObject({ delivery: "none", retryAfterMs: 500 });
    await Promise.all([late, opener, probe]);
    expect(server.sent).toBe(3);
  });

  it("rejects with aborted or closed when the caller has aborted or closed it", async () => {
    const { front } = await opened(down());
    expect(await ending(front.send([get], { signal: AbortSignal.abort() }))).toMatchObject({ kind: "aborted" });
    await front.close();
    expect(await ending(front.send([get]))).toMatchObject({ kind: "closed", delivery: "none" });
  });

  it("takes an empty trip for no proof that the server is back", async () => {
    const { front, changes } = await opened(down());
    await vi.advanceTimersByTimeAsync(250);
    expect(await ending(front.send([]).catch(() => "refused"))).toBe("refused");
    expect(changes).toHaveLength(1);
  });
});

describe("a failure that opens the breaker of a guarded transport", () => {
  it("is each attempt by itself, retries included", async () => {
    const { server, transport } = counting(down());
    const front = guarded(transport, { retries: 9, breaker: steady });
    expect(await ending(front.send([get]))).toMatchObject({ message: "the host is down" });
    expect(server.sent).toBe(5);
  });

  it("is not a refusal by Redis, a request that is too large, or a bug", async () => {
    for (const outcome of [down("too-large"), down("protocol", { delivery: "none" }), new TypeError("a bug")]) {
      const { server, transport } = counting(outcome);
      const front = guarded(transport, { breaker: { failures: 1 } });
      for (let call = 0; call < 30; call++) expect(await ending(front.send([get]))).toBe(outcome);
      expect(server.sent).toBe(30);
    }
    const wrong: Transport = {
      name: "wrong",
      send: async (commands) => commands.map(() => new CommandError("WRONGTYPE Operation against a key")),
      async close() {},
    };
    const front = guarded(wrong, { breaker: { failures: 1 } });
    for (let call = 0; call < 30; call++)
      expect(await ending(front.send([get]))).toMatchObject([{ code: "WRONGTYPE" }]);
  });

  it("is not one connection that breaks under many calls: their retries go through", async () => {
    const { server, transport } = counting(down(), 10);
    const front = guarded(transport);
    const calls = Array.from({ length: 100 }, () => front.send([get]));
    server.outcome = "OK";
    expect(await endings(calls)).toEqual(Array(100).fill(["OK"]));
    expect(server.sent).toBe(200);
  });

  it("is many calls that have each waited long in vain", async () => {
    for (const outcome of ["silence", down()] as const) {
      const { server, transport } = counting(outcome, 5_000);
      const front = guarded(transport, { retries: 0, breaker: steady });
      await endings(Array.from({ length: 5 }, () => front.send([get])));
      expect(await ending(front.send([get]))).toMatchObject({ delivery: "none" });
      expect(server.sent).toBe(5);
    }
  });

  it("does not exist with breaker: false", async () => {
    const { server, transport } = counting(down("quota", { retryAfterMs: 60_000 }));
    const front = guarded(transport, { breaker: false, onBreaker: () => expect.unreachable() });
    for (let call = 0; call < 30; call++) await ending(front.send([get]));
    expect(server.sent).toBe(30);
  });
});

describe("the retries of a guarded transport", () => {
  it("end when the breaker opens meanwhile, with the failure of their own last attempt", async () => {
    const failure = down();
    const { server, transport } = counting(failure);
    const front = guarded(transport, { breaker: steady });
    // The pause before a retry is drawn at random: a long one.
    vi.spyOn(Math, "random").mockReturnValue(0.9);
    const call = front.send([get]);
    // The first attempt has failed; its retry waits.
    await vi.advanceTimersByTimeAsync(1);
    server.outcome = down("quota", { retryAfterMs: 9_000 });
    const other = front.send([get]);
    expect(await endings([call, other])).toEqual([failure, server.outcome]);
    vi.restoreAllMocks();
  });

  it("wait for as long as the server asked", async () => {
    const { server, transport } = counting(down("unreachable", { retryAfterMs: 3_000 }));
    const call = guarded(transport).send([get]);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(server.sent).toBe(1);
    server.outcome = "OK";
    expect(await ending(call)).toEqual(["OK"]);
  });

  it("end at once when the server asks for more than is left", async () => {
    const startedAt = performance.now();
    const { server, transport } = counting(down("unreachable", { retryAfterMs: 5_000 }));
    expect(await ending(guarded(transport).send([get]))).toMatchObject({ kind: "unreachable", retryAfterMs: 5_000 });
    expect(server.sent).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(100);
  });

  it("report delivery unknown when only the last attempt was surely not sent", async () => {
    const { server, transport } = counting(down("unreachable", { delivery: "unknown" }));
    const front = guarded(transport, { retries: 1 });
    const call = front.send([["SET", "a", "1"]]);
    await vi.advanceTimersByTimeAsync(0);
    server.outcome = down("unreachable", { delivery: "none" });
    const error = await ending(call);
    expect(error).toMatchObject({ kind: "unreachable", delivery: "unknown" });
    expect((error as Error).cause).toBe(server.outcome);
  });
});

describe("a guarded transport over one that ignores deadlines and signals", () => {
  it("keeps the deadline itself, its own or the caller's", async () => {
    for (const [options, timeoutMs, latest] of [
      [{}, undefined, 5_020],
      [{ timeout: "2s" }, undefined, 2_020],
      [{}, 100, 120],
    ] as const) {
      const { transport } = counting("silence");
      const startedAt = performance.now();
      const call = guarded(transport, options).send([get], timeoutMs === undefined ? undefined : { timeoutMs });
      const error = await ending(call);
      expect(error).toMatchObject({ kind: "timeout", delivery: "unknown", transport: "counting" });
      expect(performance.now() - startedAt).toBe(latest);
    }
  });

  it("passes on the error of a transport that keeps them", async () => {
    const own = down("timeout", { delivery: "none" });
    const { transport } = counting(own, 5_000);
    expect(await ending(guarded(transport).send([get]))).toBe(own);
  });

  it("ends when its caller aborts", async () => {
    const { transport } = counting("silence");
    const controller = new AbortController();
    const startedAt = performance.now();
    const calls = [
      guarded(transport).send([get], { signal: controller.signal }),
      guarded(transport).send([get], { signal: AbortSignal.abort("why") }),
    ];
    controller.abort("why");
    for (const error of await endings(calls)) expect(error).toMatchObject({ kind: "aborted", cause: "why" });
    expect(performance.now() - startedAt).toBeLessThanOrEqual(20);
  });

  it("takes a deadline that no timer can hold for the longest that one can", async () => {
    const { transport } = counting("OK");
    expect(await ending(guarded(transport).send([get], { timeoutMs: Number.POSITIVE_INFINITY }))).toEqual(["OK"]);
  });
});

describe("the options of a trip", () => {
  it("reach the transport unchanged, unknown ones too", async () => {
    const seen: unknown[] = [];
    const transport: Transport = {
      name: "seeing",
      send: async (commands, options) => {
        seen.push(options);
        return commands.map(() => "OK");
      },
      async close() {},
    };
    const signal = new AbortController().signal;
    const options = { atomic: true, fallback: false, signal, invalidates: ["user:*"], later: 1 };
    await ending(guarded(transport).send([get], options));
    expect(seen).toEqual([{ ...options, timeoutMs: 5_000 }]);
  });
});
