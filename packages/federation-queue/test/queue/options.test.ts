import { memoryTransport } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import type { FederationQueueOptions } from "../../src/queue/options.ts";
import { closing } from "./backends.ts";

// What can't be is refused before anything is sent, and the message quotes it.

const opened = closing();

const start = () => {
  const memory = opened(memoryTransport());
  let sent = 0;
  const transport = {
    name: "memory",
    send: (...trip: Parameters<typeof memory.send>) => {
      sent++;
      return memory.send(...trip);
    },
    close: () => memory.close(),
  };
  const queue = (options: unknown = {}) =>
    new FederationQueue<unknown>({ transport }, options as FederationQueueOptions);
  return { queue, sent: () => sent };
};

describe("a queue", () => {
  it.each<[name: string, options: unknown, message: RegExp]>([
    ["no object", null, /new FederationQueue takes its options as an object/],
    ["an option that is misspelt", { maxAttempt: 3 }, /no option "maxAttempt"\. Did you mean `maxAttempts`\?/],
    ["another library's option", { concurrency: 3 }, /new FederationQueue has no option "concurrency"/],
    ["a misspelt part of an option", { backoff: { inital: "1s" } }, /Did you mean `initial`/],
    ["a misspelt bound", { outbox: { maxMessage: 5 } }, /Did you mean `maxMessages`/],
    ["no priorities", { priorities: [] }, /`priorities` .*got 0 names/],
    ["a name that is taken", { priorities: ["dead"] }, /not retry, delayed, dead, id\), got "dead"/],
    ["a name of others", { priorities: ["a:b"] }, /got "a:b"/],
    ["a name twice", { priorities: ["a", "a"] }, /each once, got \["a","a"\]/],
    ["a default of none", { priorities: ["a"], defaultPriority: "b" }, /one of "a", got "b"/],
    ["a glob", { prefix: "jobs*" }, /`prefix` .*got "jobs\*"/],
    ["no prefix", { prefix: 5 }, /`prefix` .*got 5 \(number\)/],
    ["no time", { retention: "soon" }, /`retention` .*got "soon"/],
    ["a negative time", { visibilityTimeout: -1 }, /`visibilityTimeout` .*got -1/],
    ["no time to poll", { pollInterval: 0 }, /`pollInterval` .*got 0/],
    ["no timeout", { timeout: Number.NaN }, /`timeout` .*got NaN/],
    ["half an attempt", { maxAttempts: 0.5 }, /`maxAttempts` .*got 0.5/],
    ["attempts in words", { maxAttempts: "many" }, /`maxAttempts` .*got "many"/],
    ["no crash", { maxCrashes: 0 }, /`maxCrashes` .*got 0/],
    ["a list for back-off", { backoff: ["1s"] }, /backoff takes its options as an object/],
    ["a back-off upside down", { backoff: { initial: "1m", max: "1s" } }, /got 1000 ms and 60000 ms/],
    ["an outbox that is none", { outbox: true }, /outbox takes its options as an object/],
    ["an outbox without room", { outbox: { maxMessages: 0 } }, /`outbox.maxMessages` .*got 0/],
    ["an outbox without bytes", { outbox: { maxBytes: -1 } }, /`outbox.maxBytes` .*got -1/],
    ["no repair", { repair: "never" }, /`repair` .*got "never"/],
    ["no room for an event", { maxEventBytes: 0 }, /`maxEventBytes` .*got 0/],
    ["no codec", { codec: "json" }, /`codec` .*got "json"/],
  ])("refuses %s", (_, options, message) => {
    const { queue, sent } = start();
    const make = () => queue(options);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ name: "ConfigError" }));
    expect(sent()).toBe(0);
  });

  it("refuses an invalid backend", () => {
    for (const backend of [{}, undefined, { transport: "redis://127.0.0.1" }]) {
      const make = () => new FederationQueue(backend as never);
      expect(make).toThrow(/Expected a Cache, or { transport }/);
      expect(make).toThrow(expect.objectContaining({ name: "ConfigError" }));
    }
  });

  it("refuses invalid options of push, pull and consume", async () => {
    const { queue: make, sent } = start();
    const queue = opened(make({ maxEventBytes: 100 }));
    await expect(queue.push("a", { priority: "urgent" })).rejects.toThrow(/"high", "normal", "low", got "urgent"/);
    await expect(queue.push("a", { priority: "retry" })).rejects.toThrow(/got "retry"/);
    await expect(queue.push("a", { id: "" })).rejects.toThrow(/`id` .*got ""/);
    await expect(queue.push("a", { id: "two\nlines" })).rejects.toThrow(/got "two\\nlines"/);
    await expect(queue.push("a", { id: "x".repeat(1_025) })).rejects.toThrow(/got 1025/);
    await expect(queue.push("a", { delay: "-1s" })).rejects.toThrow(/`delay` .*got "-1s"/);
    await expect(queue.push("a", { timeout: 0 })).rejects.toThrow(/`timeout` .*got 0/);
    await expect(queue.push("secret ".repeat(20))).rejects.toThrow(/^Expected an event of at most 100 bytes, got 142;/);
    await expect(queue.pushMany([{ event: "a" }, { event: "b", id: "" }])).rejects.toThrow(/`id`/);
    await expect(queue.pull({ max: 0 })).rejects.toThrow(/`max` .*got 0/);
    await expect(queue.pull({ max: 501 })).rejects.toThrow(/from 1 to 500, got 501/);
    await expect(queue.dead({ max: 1.5 })).rejects.toThrow(/`max` .*got 1.5/);
    await expect(queue.redrive({ max: -1 })).rejects.toThrow(/`max` .*got -1/);
    const untyped = (options: unknown) => options as never;
    for (const [call, message] of [
      [() => queue.push("a", untyped({ prio: "high" })), /push has no option "prio"/],
      [() => queue.push("a", untyped({ priorty: "high" })), /Did you mean `priority`/],
      [() => queue.push("a", untyped({ fallback: "no" })), /`fallback` to be true or false/],
      [() => queue.push("a", untyped({ signal: 5 })), /AbortSignal, got 5 \(number\)/],
      [() => queue.push("a", untyped("high")), /takes its options as an object/],
      [() => queue.pushMany([untyped({ event: "a", dely: 5 })]), /Did you mean `delay`/],
      [() => queue.pushMany([{ event: "a" }], untyped({ id: "x" })), /pushMany has no option "id"/],
      [() => queue.pull(untyped({ count: 5 })), /pull has no option "count"/],
      [() => queue.pull(untyped(5)), /takes its options as an object/],
      [() => queue.stats(untyped({ timeuot: 5 })), /Did you mean `timeout`/],
      [() => queue.dead(untyped({ limit: 5 })), /dead has no option "limit"/],
      [() => queue.redrive(untyped({ id: "x" })), /Did you mean `ids`/],
      [() => queue.redrive(untyped({ ids: "x" })), /`ids` to be a list of ids, got "x"/],
    ] as const) {
      await expect(call()).rejects.toThrow(message);
      await expect(call()).rejects.toMatchObject({ name: "ConfigError" });
    }
    for (const [call, message] of [
      [() => queue.consume(() => {}, untyped({ concurency: 5 })), /Did you mean `concurrency`/],
      [() => queue.consume(() => {}, untyped({ signal: {} })), /AbortSignal/],
      [() => queue.on(untyped("fail"), () => {}), /"failed"/],
      [() => queue.on("failed", untyped(undefined)), /listener/],
    ] as const) {
      expect(call).toThrow(message);
      expect(call).toThrow(expect.objectContaining({ name: "ConfigError" }));
    }
    expect(() => queue.consume("work" as never)).toThrow(/function, got "work"/);
    expect(() => queue.consume(() => {}, { concurrency: 0 })).toThrow(/`concurrency` .*got 0/);
    expect(() => queue.consume(() => {}, { maxDuration: 0 })).toThrow(/`maxDuration` .*got 0/);
    expect(sent()).toBe(0);
  });
});
