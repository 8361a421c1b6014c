import { type Command, dispatchOf, RoundTrip, type SendOptions, type Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { switchable } from "./switchable.ts";

/** What a round trip has brought by the time when its dispatch returns: replies, an error, or undefined. */
function atOnce(transport: Transport, commands: readonly Command[], options: SendOptions = {}): unknown {
  let outcome: unknown;
  const keep = (brought: unknown): void => {
    outcome = brought;
  };
  dispatchOf(transport)(new RoundTrip(commands, options, 5_000), { answered: keep, failed: keep });
  return outcome;
}

describe("a round trip to a memory", () => {
  const memory = memoryTransport();

  it("is answered at once, as send answers and in the order of the calls", async () => {
    const sent = memory.send([["SET", "key", "1"]]);
    const replies = atOnce(memory, [
      ["INCR", "key"],
      ["GET", "key"],
    ]);
    expect(replies).toEqual([2, "2"]);
    const later = memory.send([["GET", "key"]]);
    expect(atOnce(memory, [["DEL", "key"]])).toEqual([1]);
    expect([await sent, await later]).toEqual([["OK"], ["2"]]);
  });

  it("fails as send rejects", async () => {
    const bad = [["SET", "key", null]] as never;
    expect(atOnce(memory, bad)).toEqual(await memory.send(bad).catch((error: unknown) => error));
    expect(atOnce(memory, bad)).toMatchObject({ kind: "protocol", delivery: "none" });
    const closed = memoryTransport();
    await closed.close();
    expect(atOnce(closed, [["PING"]])).toMatchObject({ kind: "closed" });
  });

  it("can still be aborted in the tick that has sent it", async () => {
    const controller = new AbortController();
    const answer = new Promise<unknown>((answered, failed) => {
      const trip = new RoundTrip([["GET", "key"]], { signal: controller.signal }, 5_000);
      dispatchOf(memory)(trip, { answered, failed });
    });
    controller.abort();
    await expect(answer).rejects.toMatchObject({ kind: "aborted", delivery: "unknown" });
  });

  it("goes through the send of what wraps the memory", () => {
    for (const wrapped of [{ ...memory }, switchable(memory), withFallback(switchable(), memoryTransport())]) {
      expect(atOnce(wrapped, [["PING"]])).toBeUndefined();
    }
  });
});
