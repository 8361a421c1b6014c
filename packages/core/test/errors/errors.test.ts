import {
  CodecError,
  CommandError,
  ConfigError,
  isCodecError,
  isCommandError,
  isConfigError,
  isTransportError,
  TransportError,
} from "@continuum-cache/core";
import { errorFromRedis } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

describe("errors", () => {
  it("are told by their mark, invisibly, and not by their class", () => {
    const errors = [
      new CodecError("json", "no"),
      new CommandError("ERR no"),
      new ConfigError("url", "no"),
      new TransportError("closed", "no", { transport: "tcp" }),
    ];
    const guards = [isCodecError, isCommandError, isConfigError, isTransportError];
    expect(errors.map((error) => guards.map((guard) => guard(error)))).toEqual(
      errors.map((_, i) => guards.map((__, j) => i === j)),
    );
    expect(Object.keys(new CodecError("json", "no"))).toEqual(["name", "codec"]);
    expect(isCommandError({ [Symbol.for("continuum-cache.CommandError")]: true })).toBe(true);
    expect(isCommandError(null)).toBe(false);
  });

  it.each([
    [7_000, 7_000],
    [0, 0],
    [3_600_000, 3_600_000],
    [3_600_001, 3_600_000],
    [86_400_000, 3_600_000],
    [86_400_001, undefined],
    [999_999_999_000, undefined],
    [Number.POSITIVE_INFINITY, undefined],
    [Number.NaN, undefined],
    [-5, undefined],
    [undefined, undefined],
  ])("keeps of a wait of %s ms that a server asks for %s", (asked, kept) => {
    const details = { transport: "rest", ...(asked !== undefined && { retryAfterMs: asked }) };
    expect(new TransportError("quota", "no", details).retryAfterMs).toBe(kept);
  });

  it("carry the code that Redis gave", () => {
    expect(new CommandError("WRONGTYPE Operation against a key").code).toBe("WRONGTYPE");
    expect(new CommandError("value is not an integer").code).toBe("ERR");
  });

  it("never repeat what the caller stored, nor a secret", () => {
    const texts = [
      "ERR unknown command 'foo', with args beginning with: 'canary' 'b'",
      'ERR syntax, command was: [["set","k","canary"]]',
      "connect to rediss://default:canary@host:6379 failed",
      "Authorization: Bearer canary",
      "GET https://host/get/a?_token=canary&x=1",
    ];
    for (const text of texts) {
      expect(new CommandError(text).message).not.toContain("canary");
      expect(new TransportError("protocol", text, { transport: "rest" }).message).not.toContain("canary");
      expect(new ConfigError("url", text).message).not.toContain("canary");
    }
  });

  it.each([
    ["WRONGPASS invalid or missing auth token", "unauthorized"],
    ["NOAUTH Authentication required.", "unauthorized"],
    ["ERR max daily request limit exceeded. Limit: 10000, Usage: 10001.", "quota"],
    ["ERR max requests limit exceeded. Limit: 500000, Usage: 500000", "quota"],
    ["ERR max request size exceeded. Limit: 10485760 bytes, Actual: 11245919 bytes.", "too-large"],
    ["ERR max concurrent connections exceeded", "unreachable"],
    ["LOADING Redis is loading the dataset in memory", "unreachable"],
    ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", "unreachable"],
    ["READONLY Writes are temporarily rejected due to server upgrade", "unreachable"],
    ["READONLY You can't write against a read only replica. script: a21, on @user_script:1.", "unreachable"],
    [
      "EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.",
      "unreachable",
    ],
    ["ERR Error running script (call to f_a21): @user_script:1: -READONLY You can't write.", "unreachable"],
  ])("sort %j as no answer: %s", (text, kind) => {
    const error = errorFromRedis(text, "rest");
    expect(isTransportError(error) && error.kind).toBe(kind);
  });

  it.each([
    "WRONGTYPE Operation",
    "OOM command not allowed",
    "ERR DB capacity quota exceeded",
    "NOSCRIPT No matching script.",
    "NOPERM this user",
    "EXECABORT Transaction discarded because of previous errors.",
    "ERR the caller's own text about READONLY replicas",
    "BUSYGROUP Consumer Group name already exists",
  ])("sort %j as Redis saying no", (text) => {
    expect(isCommandError(errorFromRedis(text, "tcp"))).toBe(true);
  });
});
