import { memoryTransport } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { SyncLog } from "../../src/log/sync-log.ts";
import { relay } from "../../src/relay/relay.ts";
import { closing } from "./logs.ts";

const opened = closing();
const make = (options: object) => () =>
  opened(new SyncLog({ transport: opened(memoryTransport()) }, options as { instanceId: string }));

describe("rejects before sending anything", () => {
  it.each([
    [{}, "Expected `instanceId` to be a name of 1 to 256 bytes"],
    [{ instanceId: "" }, 'got ""'],
    [{ instanceId: "a\nb" }, "without control characters"],
    [{ instanceId: "x".repeat(300) }, "1 to 256 bytes"],
    [{ instanceId: 7 }, "got 7 (number)"],
    [{ instanceId: "a", key: "no*glob" }, "Expected `key` to be a text"],
    [{ instanceId: "a", key: "" }, "Expected `key` to be a text"],
    [{ instanceId: "a", retention: -1 }, "retention"],
    [{ instanceId: "a", retention: "soon" }, "retention"],
    [{ instanceId: "a", lease: 0 }, "lease"],
    [{ instanceId: "a", pollInterval: "never" }, "pollInterval"],
    [{ instanceId: "a", timeout: -5 }, "timeout"],
    [{ instanceId: "a", repair: -1 }, "Expected `repair` to be a whole number"],
    [{ instanceId: "a", outbox: { maxMessages: 0 } }, "outbox.maxMessages"],
    [{ instanceId: "a", outbox: { maxBytes: 1.5 } }, "outbox.maxBytes"],
    [{ instanceId: "a", maxEventBytes: "1mb" }, "maxEventBytes"],
    [{ instanceId: "a", codec: "json" }, "Expected `codec`"],
    [{ instanceId: "a", instanceID: "b" }, "Did you mean `instanceId`?"],
    [{ instanceId: "a", prefix: "x" }, 'new SyncLog has no option "prefix"'],
    [{ instanceId: "a", outbox: { maxByte: 5 } }, "Did you mean `maxBytes`?"],
    [{ instanceId: "a", outbox: false }, "outbox takes its options as an object"],
  ])("%j", (options, message) => {
    expect(make(options)).toThrow(message);
    expect(make(options)).toThrow(expect.objectContaining({ name: "ConfigError" }));
  });

  it("a backend without a transport", () => {
    expect(() => new SyncLog({} as never, { instanceId: "a" })).toThrow("Expected a Cache, or { transport }");
    expect(() => new SyncLog({ transport: opened(memoryTransport()) }, undefined as never)).toThrow("instanceId");
  });

  it("invalid options of follow, and unknown events", async () => {
    const log = make({ instanceId: "a", maxEventBytes: 10 })();
    expect(() => log.follow({ batch: 0 })).toThrow("Expected `batch` to be a whole number from 1 to 10000, got 0");
    expect(() => log.follow({ from: "end" as "now" })).toThrow(
      'Expected `from` to be one of "beginning", "now", got "end"',
    );
    expect(() => log.follow({ resync: "x" as never })).toThrow("Expected `resync` to be a function");
    await expect(log.append("too long for it")).rejects.toThrow("Expected an event of at most 10 bytes, got 17");
    await expect(log.append(undefined)).rejects.toThrow();
    await expect(log.append(1, { timeout: -1 })).rejects.toThrow("timeout");
    await expect(log.append(1, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "aborted",
      delivery: "none",
    });
    const untyped = (options: unknown) => options as never;
    for (const [call, message] of [
      [() => log.follow(untyped({ form: "now" })), "Did you mean `from`?"],
      [() => log.follow(untyped({ signal: 5 })), "AbortSignal"],
      [() => log.on(untyped("gaps"), () => {}), '"gap"'],
    ] as const) {
      expect(call).toThrow(message);
      expect(call).toThrow(expect.objectContaining({ name: "ConfigError" }));
    }
    for (const [call, message] of [
      [() => log.append(1, untyped({ tiemout: 5 })), "Did you mean `timeout`?"],
      [() => log.append(1, untyped({ fallback: 0 })), "true or false"],
      [() => log.appendMany([1], untyped({ id: "x" })), 'has no option "id"'],
      [() => log.stats(untyped({ fallback: true })), 'has no option "fallback"'],
    ] as const) {
      await expect(call()).rejects.toThrow(message);
      await expect(call()).rejects.toMatchObject({ name: "ConfigError" });
    }
    expect(await log.appendMany([])).toEqual([]);
    expect(log.pending).toBe(0);
  });

  it("invalid options of a relay", async () => {
    const [from, to] = [{ transport: opened(memoryTransport()) }, { transport: opened(memoryTransport()) }];
    const untyped = (options: unknown) => options as never;
    for (const [call, message] of [
      [() => relay(from, to, untyped({ retension: "1h" })), "Did you mean `retention`?"],
      [() => relay(from, to, untyped({ batch: 0 })), "`batch` to be a whole number from 1 to 10000"],
      [() => relay(from, to, untyped({ signal: "x" })), "AbortSignal"],
      [() => relay(from, to, untyped({ pollInterval: 0 })), "pollInterval"],
      [() => relay(from, from), "two databases"],
      [() => relay(untyped({}), to), "`from` to be a Cache"],
      [() => relay(from, untyped(undefined)), "`to` to be a Cache"],
    ] as const) {
      expect(call).toThrow(message);
      expect(call).toThrow(expect.objectContaining({ name: "ConfigError" }));
    }
    const running = opened(relay(from, to));
    expect(() => running.on(untyped("errors"), () => {})).toThrow('"error"');
    await expect(running.stats(untyped({ max: 5 }))).rejects.toMatchObject({ name: "ConfigError" });
  });

  it("keeps an instance whose name looks like another's keys apart from it", async () => {
    const transport = opened(memoryTransport());
    const log = opened(new SyncLog({ transport }, { instanceId: "cursors:b", key: "log" }));
    await log.append(1);
    expect(
      await transport.send([
        ["EXISTS", "log:cursors:b"],
        ["EXISTS", "log:cursors%3Ab"],
      ]),
    ).toEqual([0, 1]);
  });
});
