import { describe, expect, it, vi } from "vitest";
import type { QueueEvents } from "../../src/queue/types.ts";
import { all, closing, queuesOn } from "./backends.ts";

const opened = closing();
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 60_000, interval: 5 });

/** Objects that can't be put in words, and others that are no errors. */
const thrown: readonly (readonly [name: string, value: unknown, detail: RegExp])[] = [
  ["an error", new RangeError("too far"), /^too far$/],
  ["a text", "just words", /^just words$/],
  ["nothing", undefined, /^undefined$/],
  ["an object without a prototype", Object.create(null), /can't be put in words/],
  ["an error whose message throws", throwing(), /can't be put in words/],
  ["a long error", new Error(`${"x".repeat(499)}🐈 and more`), /^x{499}.$/],
];

function throwing(): Error {
  return Object.defineProperty(new Error("a"), "message", {
    get() {
      throw new Error("never");
    },
  });
}

describe.each(all)("a handler that throws ($name)", (backend) => {
  it.each(thrown)(
    "emits `failed` at once with the message and the attempt, and ends with a dead letter: %s",
    async (_, value, detail) => {
      const { open } = await queuesOn<string>(backend, opened);
      const queue = open({ maxAttempts: 2, backoff: { initial: "10ms" } });
      const failed: QueueEvents["failed"][] = [];
      queue.on("failed", (event) => failed.push(event));
      queue.consume(() => {
        throw value;
      });
      await queue.push("secret", { id: "m" });
      await eventually(async () => expect(await queue.dead()).toHaveLength(1));
      expect(failed.map(({ id, attempt }) => [id, attempt])).toEqual([
        ["m", 1],
        ["m", 2],
      ]);
      for (const { error } of failed) expect(error).toBeInstanceOf(Error);
      expect(JSON.stringify(failed)).not.toContain("secret");
      const [letter] = await queue.dead();
      expect(letter).toMatchObject({ id: "m", event: "secret", reason: "failed", failures: 2 });
      expect(letter?.detail).toMatch(detail);
      expect(letter?.detail?.length).toBeLessThanOrEqual(500);
    },
  );

  it("emits `failed` also when the handler had settled its message, which stays settled", async () => {
    const { open } = await queuesOn<string>(backend, opened);
    const queue = open();
    const failed: QueueEvents["failed"][] = [];
    queue.on("failed", (event) => failed.push(event));
    queue.consume(async (_, lease) => {
      await lease.ack();
      throw new Error("afterwards");
    });
    await queue.push("work", { id: "m" });
    await eventually(() => expect(failed).toMatchObject([{ id: "m", attempt: 1, error: { message: "afterwards" } }]));
    await eventually(async () => expect(await queue.stats()).toMatchObject({ depth: 0, inFlight: 0, dead: 0 }));
  });

  it("the queue goes on when a listener throws", async () => {
    const { open } = await queuesOn<string>(backend, opened);
    const queue = open({ maxAttempts: 1 });
    const uncaught = vi.fn();
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", uncaught);
    try {
      queue.on("failed", () => {
        throw new Error("of the listener");
      });
      queue.consume(() => {
        throw new Error("of the handler");
      });
      await queue.push("work");
      await eventually(async () => expect(await queue.dead()).toHaveLength(1));
      await eventually(() => expect(uncaught.mock.calls[0]?.[0]).toMatchObject({ message: "of the listener" }));
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    }
  });
});

describe.each(all)("a message that can't be decoded ($name)", (backend) => {
  it("emits `error` with the id, and becomes a dead letter with the reason", async () => {
    const { open, prefix, connect } = await queuesOn<string>(backend, opened);
    const queue = open();
    const errors: QueueEvents["error"][] = [];
    const dead: QueueEvents["dead"][] = [];
    const done: string[] = [];
    queue.on("error", (event) => errors.push(event));
    queue.on("dead", (event) => dead.push(event));
    await connect().send([["XADD", `${prefix}:normal`, "*", "i", "bomb", "e", '{"broken']]);
    queue.consume((event) => void done.push(event));
    await queue.push("behind it");
    await eventually(() => expect(done).toEqual(["behind it"]));
    await eventually(() => expect(dead).toEqual([{ id: "bomb", reason: "unreadable" }]));
    expect(errors).toMatchObject([{ operation: "decode", id: "bomb", error: { name: "CodecError" } }]);
    expect(await queue.dead()).toMatchObject([{ id: "bomb", reason: "unreadable", detail: expect.any(String) }]);
  });
});
