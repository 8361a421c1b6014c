import { guarded, type Transport, TransportError } from "@continuum-cache/core";
import { primaryOf } from "@continuum-cache/core/kit";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Switchable, switchable } from "./switchable.ts";

let primary: Switchable;
let fallback: Transport;
/** While it is true, the primary answers nothing but PING. */
let isHanging: boolean;
/** Fail the calls that it has not answered. */
let failures: ((error: Error) => void)[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  isHanging = false;
  failures = [];
  primary = switchable();
  const send: Transport["send"] = (commands, options) =>
    isHanging && commands[0]?.[0] !== "PING"
      ? new Promise((_, reject) => failures.push(reject))
      : primary.send(commands, options);
  fallback = withFallback({ ...primary, send }, memoryTransport());
});
afterEach(async () => {
  isHanging = false;
  primary.restore();
  const closed = fallback.close();
  await vi.advanceTimersByTimeAsync(60_000);
  await closed;
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("a guard above a fallback", () => {
  it("does not repeat a write that a later one has overtaken", async () => {
    const above = guarded(fallback);
    primary.fail("unreachable", { delivery: "none" });
    const first = above.send([["SET", "a", "old"]], { fallback: false }).catch((error: unknown) => error);
    primary.restore();
    await above.send([["SET", "a", "new"]], { fallback: false });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await first).toMatchObject({ kind: "unreachable" });
    expect(primary.sent).toEqual([
      ["SET", "a", "old"],
      ["SET", "a", "new"],
    ]);
  });

  it("gives a call that waits for the end of a recovery its own time", async () => {
    primary.fail("unreachable");
    await fallback.send([["SET", "a", "kept"]]);
    primary.restore();
    isHanging = true;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(fallback.status?.outage).toMatchObject({ state: "recovering" });
    let reply: unknown;
    void guarded(fallback, { timeout: "300ms" })
      .send([["GET", "a"]])
      .then((replies) => {
        reply = replies[0];
      });
    await vi.advanceTimersByTimeAsync(300);
    expect(reply).toBe("kept");
  });
});

describe("a write that bypasses a fallback", () => {
  it("is not undone by an earlier write that the guard between them would repeat", async () => {
    const both = withFallback(guarded(primary), memoryTransport());
    primary.fail("unreachable", { delivery: "none" });
    const first = both.send([["SET", "a", "old"]], { fallback: false }).catch((error: unknown) => error);
    primary.restore();
    await primaryOf(both).send([["SET", "a", "new"]]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await first).toMatchObject({ kind: "unreachable" });
    expect(primary.sent).toEqual([
      ["SET", "a", "old"],
      ["SET", "a", "new"],
    ]);
    await both.close();
  });
});

describe("a trip that was answered in an outage", () => {
  it("begins no new outage when it fails after the end of that one", async () => {
    isHanging = true;
    const hung = fallback.send([["GET", "a"]]);
    isHanging = false;
    primary.fail("unreachable");
    await fallback.send([["PING"]]);
    expect(await hung).toEqual([null]);
    primary.restore();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(fallback.status?.currentBackend).toBe("upstash");
    const onChange = vi.fn();
    fallback.status?.onChange(onChange);
    failures[0]?.(new TransportError("timeout", "No answer in time", { transport: "switchable" }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(onChange).not.toHaveBeenCalled();
  });
});

describe("an invalid command", () => {
  it("is rejected, and delays no recovery", async () => {
    await expect(fallback.send([[undefined]] as never)).rejects.toThrow(TypeError);
    primary.fail("unreachable");
    await fallback.send([["SET", "a", "kept"]]);
    primary.restore();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(fallback.status).toMatchObject({ currentBackend: "upstash", pending: 0 });
  });
});
