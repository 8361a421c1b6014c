import { CommandError, ConfigError, isCommandError, json, type Transport } from "@continuum-cache/core";
import {
  abortedError,
  backendOption,
  closedError,
  codecsOption,
  serverTimeMs,
  serverTimeUs,
  signalOption,
  textOption,
  toSendOptions,
  unwrap,
} from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

const messageOf = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return "nothing was thrown";
};

describe("the errors of calls that end early", () => {
  it("name what was closed, and what to do", () => {
    expect(closedError("tcp", "queue")).toMatchObject({
      kind: "closed",
      message: "The queue was closed: make another one to go on",
      transport: "tcp",
      delivery: "none",
    });
    expect(closedError("tcp", "transport", "unknown").delivery).toBe("unknown");
  });

  it("hold the reason of the signal", () => {
    const error = abortedError("rest", AbortSignal.abort("left"), "unknown");
    expect(error).toMatchObject({ kind: "aborted", cause: "left", delivery: "unknown" });
    expect(abortedError("rest", undefined).delivery).toBe("none");
  });
});

describe("reading replies", () => {
  it("throws a refusal and returns every other reply", () => {
    const refusal = new CommandError("WRONGTYPE no list");
    expect(() => unwrap(refusal)).toThrow(refusal);
    expect([unwrap(0), unwrap(""), unwrap(null), unwrap(undefined)]).toEqual([0, "", null, null]);
    const list = [1, refusal];
    expect(unwrap(list)).toBe(list);
    expect(isCommandError(refusal)).toBe(true);
  });

  it("reads the time of a server", () => {
    expect(serverTimeMs(["1700000000", "123999"])).toBe(1_700_000_000_123);
    expect(serverTimeUs(["1700000000", "123999"])).toBe(1_700_000_000_123_999);
  });
});

describe("reading options", () => {
  it("returns good ones unchanged, and absent ones as absent", () => {
    const transport = { send: async () => [] } as unknown as Transport;
    const { signal } = new AbortController();
    expect(backendOption({ transport })).toBe(transport);
    expect(codecsOption(json())).toHaveLength(1);
    expect(codecsOption([json(), json()])).toHaveLength(2);
    expect([signalOption(signal), signalOption(undefined)]).toEqual([signal, undefined]);
    expect([textOption("name", "a"), textOption("name", undefined)]).toEqual(["a", undefined]);
    expect(toSendOptions({ timeout: "2s", signal, fallback: false })).toEqual({
      timeoutMs: 2_000,
      signal,
      fallback: false,
    });
    expect(toSendOptions({ fallback: true })).toEqual({});
  });

  it("quotes what came in place of the option", () => {
    expect([
      messageOf(() => backendOption({} as never)),
      messageOf(() => backendOption(null as never, "to")),
      messageOf(() => codecsOption([json(), {} as never])),
      messageOf(() => signalOption(null as never)),
      messageOf(() => textOption("keyPrefix", 7 as never)),
      messageOf(() => textOption("name", "a b", /^\w+$/, "one word")),
    ]).toEqual([
      "Expected a Cache, or { transport } with a Transport, got undefined as transport",
      "Expected `to` to be a Cache, or { transport } with a Transport, got undefined as transport",
      "Expected `codec` to be a Codec such as json(), or a list, got an array",
      "Expected `signal` to be an AbortSignal, got null",
      "Expected `keyPrefix` to be a string, got 7 (number)",
      'Expected `name` to be one word, got "a b"',
    ]);
  });
});
