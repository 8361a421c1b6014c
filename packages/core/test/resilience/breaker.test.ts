import {
  ConfigError,
  TransportError,
  type TransportErrorDetails,
  type TransportErrorKind,
} from "@continuum-cache/core";
import { type Breaker, type BreakerOptions, createBreaker } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

const error = (kind: TransportErrorKind = "unreachable", details: Partial<TransportErrorDetails> = {}) =>
  new TransportError(kind, "down", { transport: "test", ...details });

/** A breaker on a clock that only the test moves; its waits are exact unless the test says otherwise. */
const held = (options: BreakerOptions = {}) => {
  let nowMs = 1_000_000;
  const breaker = createBreaker({ clock: { now: () => nowMs }, random: () => 0.5, ...options });
  const states: Breaker["state"][] = [];
  breaker.onChange((state) => states.push(state));
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  const fail = (times: number): void => {
    for (let time = 0; time < times; time++) breaker.failed(error(), breaker.acquire() ?? "call");
  };
  /** Lets the wait pass and the probe fail; tells how long the wait was. */
  const failProbe = (): number => {
    const { waitMs } = breaker;
    pass(waitMs);
    expect(breaker.acquire()).toBe("probe");
    breaker.failed(error(), "probe");
    return waitMs;
  };
  return { breaker, states, pass, fail, failProbe };
};

describe("a breaker that is closed", () => {
  it("opens after five failures in a row, and not before", () => {
    const { breaker, fail } = held();
    fail(4);
    expect(breaker).toMatchObject({ state: "closed", cause: undefined, waitMs: 0 });
    breaker.succeeded(breaker.acquire());
    fail(4);
    expect(breaker.state).toBe("closed");
    const last = error("timeout");
    breaker.failed(last, "call");
    expect(breaker).toMatchObject({ state: "open", waitMs: 250 });
    expect(breaker.cause).toBe(last);
    expect(breaker.acquire()).toBeUndefined();
  });

  it("opens when half of at least twenty calls of the last ten seconds failed, though none in a row", () => {
    const { breaker, pass } = held();
    const pair = () => {
      breaker.succeeded("call");
      breaker.failed(error(), "call");
      pass(100);
    };
    for (let pairs = 0; pairs < 9; pairs++) pair();
    expect(breaker.state).toBe("closed");
    pair();
    expect(breaker.state).toBe("open");
  });

  it("forgets what is older than the window", () => {
    const { breaker, pass } = held({ failures: 100 });
    for (let call = 0; call < 19; call++) breaker.failed(error(), "call");
    pass(10_000);
    for (let call = 0; call < 19; call++) breaker.failed(error(), "call");
    expect(breaker.state).toBe("closed");
    breaker.failed(error(), "call");
    expect(breaker.state).toBe("open");
  });

  it("stays closed while fewer than that fail, however many they are", () => {
    const { breaker, pass } = held({ failures: 100 });
    for (let call = 0; call < 10_000; call++) {
      if (call % 5 < 3) breaker.succeeded("call");
      else breaker.failed(error(), "call");
      pass(1);
    }
    expect(breaker.state).toBe("closed");
  });

  it("goes on counting when the clock is set back, and by no longer window than before", () => {
    for (const backMs of [2_000, 3_600_000]) {
      const { breaker, pass } = held({ failures: 100 });
      for (let call = 0; call < 10; call++) breaker.failed(error(), "call");
      pass(-backMs);
      for (let call = 0; call < 19; call++) breaker.succeeded("call");
      pass(12_000);
      for (let call = 0; call < 19; call++) breaker.failed(error(), "call");
      expect(breaker.state).toBe("closed");
      breaker.failed(error(), "call");
      expect(breaker.state).toBe("open");
    }
    for (const [backMs, state] of [
      [2_000, "open"],
      [3_600_000, "closed"],
    ] as const) {
      const { breaker, pass } = held({ failures: 100 });
      for (let call = 0; call < 10; call++) breaker.failed(error(), "call");
      pass(-backMs);
      for (let call = 0; call < 10; call++) breaker.failed(error(), "call");
      expect(breaker.state).toBe(state);
    }
  });

  it("looks at rows alone when it is told so", () => {
    const { breaker } = held({ failures: 100, sample: false });
    for (let call = 0; call < 99; call++) breaker.failed(error(), "call");
    expect(breaker.state).toBe("closed");
    breaker.failed(error(), "call");
    expect(breaker.state).toBe("open");
  });

  it.each<[TransportErrorKind, "none" | "unknown"]>([
    ["aborted", "unknown"],
    ["closed", "none"],
    ["too-large", "unknown"],
    ["protocol", "none"],
  ])("never opens because of %s (%s)", (kind, delivery) => {
    const { breaker } = held({ failures: 1 });
    for (let call = 0; call < 50; call++) breaker.failed(error(kind, { delivery }), "call");
    breaker.release("call");
    expect(breaker.state).toBe("closed");
  });

  it("opens at once when it is refused for want of a token, or of quota", () => {
    for (const kind of ["unauthorized", "quota"] as const) {
      const { breaker } = held();
      breaker.failed(error(kind));
      expect(breaker).toMatchObject({ state: "open", waitMs: 250, cause: { kind } });
    }
  });

  it("stays open for as long as the server asked, longest wait or not", () => {
    const { breaker, pass } = held();
    breaker.failed(error("quota", { retryAfterMs: 3_600_000 }));
    expect(breaker.waitMs).toBe(3_600_000);
    pass(3_599_999);
    expect(breaker.acquire()).toBeUndefined();
    pass(1);
    expect(breaker.acquire()).toBe("probe");
  });

  it("stays open for an hour at most, when the server asks for half a day", () => {
    const { breaker } = held();
    breaker.failed(error("quota", { retryAfterMs: 43_200_000 }));
    expect(breaker.waitMs).toBe(3_600_000);
  });

  it("limits the wait that a server may ask for", () => {
    for (const retryAfterMs of [Number.POSITIVE_INFINITY, Number.NaN, -5, 999_999_999_000]) {
      const { breaker } = held();
      breaker.failed(error("quota", { retryAfterMs }));
      expect(breaker.waitMs).toBe(250);
      // Another copy of this package may not have checked it.
      const { breaker: other } = held();
      other.failed(Object.defineProperty(error("quota"), "retryAfterMs", { value: retryAfterMs }));
      expect(other.waitMs).toBe(250);
    }
  });
});

describe("a breaker that is open", () => {
  it("lets one probe through after the wait, and no other call until the probe has ended", () => {
    const { breaker, fail, pass } = held();
    fail(5);
    pass(249);
    expect(breaker.acquire()).toBeUndefined();
    expect(breaker.waitMs).toBe(1);
    pass(1);
    expect(Array.from({ length: 50 }, () => breaker.acquire()).filter(Boolean)).toEqual(["probe"]);
    expect(breaker).toMatchObject({ state: "half-open", waitMs: 0, cause: { kind: "unreachable" } });
  });

  it("closes when the probe is answered, and counts anew", () => {
    const { breaker, states, fail, pass } = held();
    fail(5);
    pass(250);
    breaker.succeeded(breaker.acquire());
    expect(breaker).toMatchObject({ state: "closed", cause: undefined });
    fail(4);
    expect(breaker.state).toBe("closed");
    expect(states).toEqual(["open", "half-open", "closed"]);
  });

  it("judges by no share of the time before", () => {
    const { breaker, pass } = held({ failures: 100 });
    for (let call = 0; call < 20; call++) breaker.failed(error(), "call");
    pass(250);
    breaker.succeeded(breaker.acquire());
    for (let call = 0; call < 19; call++) breaker.failed(error(), "call");
    expect(breaker.state).toBe("closed");
  });

  it("waits twice as long after each probe that fails, up to the longest", () => {
    const { fail, failProbe } = held({ maxWait: "3s" });
    fail(5);
    expect(Array.from({ length: 6 }, failProbe)).toEqual([250, 500, 1_000, 2_000, 2_400, 2_400]);
  });

  it("spreads its waits by a quarter to both sides, and never beyond the longest", () => {
    for (const [random, waits] of [
      [0, [188, 375, 600, 600]],
      [0.999_999, [312, 625, 1_000, 1_000]],
    ] as const) {
      const { fail, failProbe } = held({ random: () => random, maxWait: "1s" });
      fail(5);
      const seen = Array.from({ length: 4 }, failProbe);
      for (const [index, wait] of waits.entries()) expect(Math.abs((seen[index] ?? 0) - wait)).toBeLessThanOrEqual(1);
      expect(Math.max(...seen)).toBeLessThanOrEqual(1_000);
    }
  });

  it("allows the next probe when a probe says nothing about the server", () => {
    const { breaker, states, fail, pass } = held();
    fail(5);
    pass(250);
    expect(breaker.acquire()).toBe("probe");
    breaker.failed(error("too-large"), "probe");
    expect(breaker.acquire()).toBe("probe");
    expect(breaker.acquire()).toBeUndefined();
    breaker.release("probe");
    expect(breaker.acquire()).toBe("probe");
    breaker.succeeded("probe");
    expect(states).toEqual(["open", "half-open", "closed"]);
  });

  it("replaces a probe that has no outcome after half a minute", () => {
    const { breaker, fail, pass } = held();
    fail(5);
    pass(250);
    expect(breaker.acquire()).toBe("probe");
    pass(29_999);
    expect(breaker.acquire()).toBeUndefined();
    pass(1);
    expect(breaker.acquire()).toBe("probe");
    expect(breaker.acquire()).toBeUndefined();
    breaker.failed(error(), "probe");
    // The first one's answer is older than the failure of the second.
    breaker.succeeded("probe");
    expect(breaker).toMatchObject({ state: "open", waitMs: 500 });
  });

  it("is not impressed by calls that were let in before", () => {
    const { breaker, fail, pass } = held();
    const before = [breaker.acquire(), breaker.acquire(), breaker.acquire(), breaker.acquire()];
    expect(before).toEqual(["call", "call", "call", "call"]);
    fail(5);
    pass(100);
    breaker.succeeded("call");
    breaker.failed(error("timeout"), "call");
    expect(breaker).toMatchObject({ state: "open", waitMs: 150, cause: { kind: "unreachable" } });
    pass(150);
    expect(breaker.acquire()).toBe("probe");
    breaker.succeeded("call");
    breaker.failed(error(), "call");
    breaker.release("call");
    expect(breaker.state).toBe("half-open");
    expect(breaker.acquire()).toBeUndefined();
  });

  it("counts them, and no more, when they fail after it has closed again", () => {
    const { breaker, fail, pass } = held();
    fail(5);
    pass(250);
    breaker.succeeded(breaker.acquire());
    for (let late = 0; late < 4; late++) breaker.failed(error(), "call");
    expect(breaker.state).toBe("closed");
    breaker.succeeded("call");
    breaker.failed(error(), "call");
    expect(breaker.state).toBe("closed");
  });

  it("waits longer, never less, when the server asks for it late", () => {
    const { breaker, fail, pass } = held();
    fail(5);
    breaker.failed(error("quota", { retryAfterMs: 5_000 }), "call");
    expect(breaker).toMatchObject({ waitMs: 5_000, cause: { kind: "quota" } });
    pass(1_000);
    breaker.failed(error("quota", { retryAfterMs: 10 }), "call");
    expect(breaker.waitMs).toBe(4_000);
  });

  it("counts a report without a permit as the probe's during a probe, else as a call's", () => {
    const { breaker, fail, pass } = held();
    fail(5);
    breaker.succeeded();
    expect(breaker.state).toBe("open");
    pass(250);
    breaker.acquire();
    breaker.succeeded();
    expect(breaker.state).toBe("closed");
    for (let call = 0; call < 5; call++) breaker.failed(error());
    expect(breaker.state).toBe("open");
  });

  it("never waits longer than it should because the clock was set back", () => {
    const { breaker, fail, pass } = held();
    fail(5);
    pass(-3_600_000);
    expect(breaker.waitMs).toBe(250);
    pass(250);
    expect(breaker.acquire()).toBe("probe");
    pass(-3_600_000);
    expect(breaker.acquire()).toBe("probe");
  });
});

describe("a breaker in front of a server that flaps", () => {
  it("waits longer each time, until it has stayed closed for as long as it waited last", () => {
    const { breaker, fail, pass } = held();
    const waits: number[] = [];
    const openThenClose = () => {
      fail(5);
      waits.push(breaker.waitMs);
      pass(breaker.waitMs);
      breaker.succeeded(breaker.acquire());
    };
    openThenClose();
    pass(249);
    openThenClose();
    pass(499);
    openThenClose();
    pass(1_000);
    openThenClose();
    expect(waits).toEqual([250, 500, 1_000, 250]);
  });

  it("does not double a wait that the server asked for", () => {
    const { breaker, fail, pass } = held();
    breaker.failed(error("quota", { retryAfterMs: 3_600_000 }));
    pass(3_600_000);
    breaker.succeeded(breaker.acquire());
    pass(250);
    fail(5);
    expect(breaker.waitMs).toBe(250);
  });
});

describe("a listener of a breaker", () => {
  it("sees it in its new state, until the listener is taken away", () => {
    const { breaker, fail, pass } = held();
    const seen: unknown[] = [];
    const stop = breaker.onChange((state) => seen.push([state, breaker.state, breaker.cause?.kind, breaker.acquire()]));
    fail(5);
    pass(250);
    breaker.acquire();
    stop();
    breaker.succeeded("probe");
    expect(seen).toEqual([
      ["open", "open", "unreachable", undefined],
      ["half-open", "half-open", "unreachable", undefined],
    ]);
  });
});

describe("the options of a breaker", () => {
  it.each<[BreakerOptions, RegExp]>([
    [{ failures: 0 }, /Expected `failures` to be a whole number of at least 1, got 0/],
    [{ failures: 1.5 }, /`failures`.*got 1\.5/],
    [{ sample: { ratio: 0, atLeast: 1, window: 1 } }, /`sample\.ratio` to be more than 0 and at most 1, got 0/],
    [{ sample: { ratio: 1.1, atLeast: 1, window: 1 } }, /`sample\.ratio`.*got 1\.1/],
    [{ sample: { ratio: 1, atLeast: 0, window: 1 } }, /`sample\.atLeast`.*got 0/],
    [{ sample: { ratio: 1, atLeast: 1, window: 0 } }, /`sample\.window`/],
    [{ wait: 0 }, /`wait`/],
    [{ maxwait: 1 } as BreakerOptions, /breaker has no option "maxwait"\. Did you mean `maxWait`\?/],
    [{ sample: { ratio: 1, atleast: 1, window: 1 } as never }, /Did you mean `atLeast`\?/],
    [{ maxWait: "soon" as "1s" }, /`maxWait`.*"soon"/],
  ])("are refused when they can't be, quoting them: %j", (options, message) => {
    expect(() => createBreaker(options)).toThrow(ConfigError);
    expect(() => createBreaker(options)).toThrow(message);
  });

  it("let a short longest wait shorten the first", () => {
    const { breaker, fail } = held({ maxWait: "50ms" });
    fail(5);
    expect(breaker.waitMs).toBe(40);
  });
});
