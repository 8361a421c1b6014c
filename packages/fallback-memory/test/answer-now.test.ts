import { isTransportError, type Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { answerNowOf } from "../src/answer-now.ts";
import { switchable } from "./switchable.ts";

const thrownBy = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe("the synchronous send of a memory", () => {
  const memory = memoryTransport();
  const now = answerNowOf(memory);

  it("answers as send does, in the order of the calls", async () => {
    const sent = memory.send([["SET", "key", "1"]]);
    expect(
      now?.([
        ["INCR", "key"],
        ["GET", "key"],
      ]),
    ).toEqual([2, "2"]);
    const later = memory.send([["GET", "key"]]);
    expect(now?.([["DEL", "key"]])).toEqual([1]);
    expect([await sent, await later]).toEqual([["OK"], ["2"]]);
  });

  it("throws what send rejects with", async () => {
    const bad = [["SET", "key", null]] as never;
    const rejected = await memory.send(bad).catch((error: unknown) => error);
    const thrown = thrownBy(() => now?.(bad));
    expect(isTransportError(thrown)).toBe(true);
    expect(thrown).toEqual(rejected);
    const aborted = thrownBy(() => now?.([["GET", "key"]], { signal: AbortSignal.abort() }));
    expect(aborted).toMatchObject({ kind: "aborted", delivery: "none" });
  });

  it("refuses when the memory is closed", async () => {
    const closed = memoryTransport();
    await closed.close();
    expect(thrownBy(() => answerNowOf(closed)?.([["PING"]]))).toMatchObject({ kind: "closed" });
  });

  it("belongs to the memory alone, not to what wraps it", () => {
    const others: Transport[] = [{ ...memory }, switchable(memory), withFallback(switchable(), memoryTransport())];
    expect(others.map(answerNowOf)).toEqual([undefined, undefined, undefined]);
  });
});
