import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createConsumerBuffer } from "../../src/consuming/consumer-buffer.ts";
import { type BufferOptions, type Gap, type Message, SlowConsumerError } from "../../src/index.ts";
import { readBuffer } from "../../src/settings.ts";

const message = (channel: string, data: number): Message => ({ channel, data });

function bufferOf(options: BufferOptions) {
  const gaps: Gap[] = [];
  return { gaps, buffer: createConsumerBuffer(readBuffer(options), (gap) => gaps.push(gap)) };
}

function rest({ shift }: { shift(): Message | undefined }): unknown[] {
  const all: unknown[] = [];
  for (let next = shift(); next; next = shift()) all.push(next.data);
  return all;
}

describe("a buffer for a slow consumer", () => {
  it("drops the oldest messages, reports how many of which channel, and keeps the order", () => {
    const { buffer, gaps } = bufferOf({ maxMessages: 3 });
    for (const [index, channel] of ["a", "b", "a", "a", "b", "b"].entries()) buffer.push(message(channel, index), 1);
    expect(rest(buffer)).toEqual([3, 4, 5]);
    expect(gaps.map(({ channel, missed, reason }) => [channel, missed, reason])).toEqual([
      ["a", 2, "slow"],
      ["b", 1, "slow"],
    ]);
  });

  it("counts bytes too, but always has room for one message", () => {
    const { buffer, gaps } = bufferOf({ maxBytes: 100 });
    buffer.push(message("a", 1), 60);
    buffer.push(message("a", 2), 60);
    buffer.push(message("a", 3), 600);
    expect(rest(buffer)).toEqual([3]);
    expect(gaps.map(({ missed }) => missed)).toEqual([2]);
  });

  it("keeps only the newest message of each key where they are conflated", () => {
    const { buffer, gaps } = bufferOf({
      maxMessages: 2,
      whenFull: "conflate",
      key: ({ data }) => String(Number(data) % 2),
    });
    for (let data = 0; data < 9; data++) buffer.push(message("a", data), 1);
    expect(rest(buffer)).toEqual([8, 7]);
    expect(gaps).toEqual([]);
  });

  it("ends the consumer where `whenFull` says so, and says where to resume", () => {
    const { buffer } = bufferOf({ maxMessages: 1, whenFull: "disconnect" });
    const position = { epoch: 5, seq: 1 };
    buffer.push({ channel: "a", data: 1, position }, 1);
    buffer.shift();
    buffer.push({ channel: "a", data: 2, position: { epoch: 5, seq: 2 } }, 1);
    let error: unknown;
    try {
      buffer.push({ channel: "a", data: 3, position: { epoch: 5, seq: 3 } }, 1);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SlowConsumerError);
    expect((error as SlowConsumerError).positions.get("a")).toEqual(position);
  });

  it("stays within its bounds, and each message is either handed out or counted as dropped", () => {
    const step = fc.oneof(fc.record({ size: fc.integer({ min: 1, max: 50 }) }), fc.constant("take" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (steps, maxMessages) => {
        const { buffer, gaps } = bufferOf({ maxMessages, maxBytes: 100 });
        let pushed = 0;
        const taken: number[] = [];
        const missed = (): number => gaps.reduce((sum, gap) => sum + (gap.missed ?? 0), 0);
        for (const one of steps) {
          if (one === "take") {
            const next = buffer.shift();
            if (next) taken.push(next.data as number);
          } else {
            buffer.push(message("a", pushed++), one.size);
          }
        }
        taken.push(...(rest(buffer) as number[]));
        expect(taken.length + missed()).toBe(pushed);
        expect(taken).toEqual([...taken].sort((one, other) => one - other));
      }),
      runs(),
    );
  });

  it("rejects wrong options", () => {
    expect(() => readBuffer({ maxMessages: 0 })).toThrow(
      "`buffer.maxMessages` to be a whole number of at least 1, got 0",
    );
    expect(() => readBuffer({ whenFull: "explode" as "conflate" })).toThrow('got "explode"');
    expect(() => readBuffer({ key: () => "x" })).toThrow('only with `whenFull: "conflate"`');
  });
});
