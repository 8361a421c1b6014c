import type { TransportError } from "@continuum-cache/core";
import { isOutage } from "@continuum-cache/core/kit";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

interface Held {
  readonly body: string;
  answer(): void;
}

/** A server whose answers the test gives one by one. */
function heldServer() {
  const held: Held[] = [];
  const transport = restTransport({
    url: "http://127.0.0.1:1",
    token: "t",
    fetch: (_, { body, signal }) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
        held.push({ body: String(body), answer: () => resolve(Response.json({ result: 1 })) });
      }),
  });
  return { transport, held };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

const failure = (call: Promise<unknown>): Promise<TransportError> =>
  call.then(
    () => Promise.reject(new Error("Expected a failure")),
    (error) => error,
  );

describe("a call that waits behind an earlier one for the same key", () => {
  test("does not blame the server when its time is over first", async () => {
    const { transport, held } = heldServer();
    const first = failure(transport.send([["INCR", "k"]], { timeoutMs: 5_000 }));
    const second = failure(transport.send([["INCR", "k"]], { timeoutMs: 1_000 }));
    await vi.advanceTimersByTimeAsync(1_000);
    const error = await second;
    expect(error).toMatchObject({ kind: "timeout", delivery: "none", queued: true });
    expect(isOutage(error)).toBe(false);
    expect(held.map(({ body }) => body)).toEqual(['["INCR","k"]']);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(isOutage(await first)).toBe(true);
  });

  test("does not blame the server when its turn comes too late to be answered", async () => {
    const { transport, held } = heldServer();
    const first = transport.send([["INCR", "k"]]);
    const late = failure(transport.send([["INCR", "k"]], { timeoutMs: 1_000 }));
    const tooLate = failure(transport.send([["INCR", "k"]], { timeoutMs: 605 }));
    await vi.advanceTimersByTimeAsync(600);
    held[0]?.answer();
    await first;
    await vi.advanceTimersByTimeAsync(400);
    expect(await late).toMatchObject({ kind: "timeout", delivery: "unknown", queued: true });
    expect(await tooLate).toMatchObject({ kind: "timeout", delivery: "none", queued: true });
    expect(held).toHaveLength(2);
  });

  test("counts like any other when it had most of its time for itself", async () => {
    const { transport, held } = heldServer();
    const first = transport.send([["INCR", "k"]]);
    const second = failure(transport.send([["INCR", "k"]], { timeoutMs: 1_000 }));
    await vi.advanceTimersByTimeAsync(100);
    held[0]?.answer();
    await first;
    await vi.advanceTimersByTimeAsync(900);
    expect(isOutage(await second)).toBe(true);
  });

  test("passes one that has not ended by its deadline, as on the edge where it may have vanished", async () => {
    vi.stubGlobal("navigator", { userAgent: "Cloudflare-Workers" });
    try {
      const { transport, held } = heldServer();
      const { setTimeout: real } = globalThis;
      Object.assign(globalThis, { setTimeout: () => 0 });
      void transport.send([["INCR", "k"]]).catch(() => {});
      Object.assign(globalThis, { setTimeout: real });
      const second = transport.send([["INCR", "k"]], { timeoutMs: 1_000 });
      await vi.advanceTimersByTimeAsync(200);
      expect(held).toHaveLength(2);
      held[1]?.answer();
      await vi.advanceTimersByTimeAsync(0);
      expect(await second).toEqual([1]);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
