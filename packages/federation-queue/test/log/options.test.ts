import { memoryTransport } from "@continuum-cache/fallback-memory";
import { describe, expect, it } from "vitest";
import { SyncLog } from "../../src/sync-log.ts";
import { closing } from "./logs.ts";

const opened = closing();
const make = (options: object) => () =>
  opened(new SyncLog({ transport: opened(memoryTransport()) }, options as { instanceId: string }));

describe("what can't be is refused before anything is sent", () => {
  it.each([
    [{}, "Expected `instanceId` to be a name of 1 to 256 bytes"],
    [{ instanceId: "" }, 'got ""'],
    [{ instanceId: "a\nb" }, "without control characters"],
    [{ instanceId: "x".repeat(300) }, "1 to 256 bytes"],
    [{ instanceId: 7 }, "got number"],
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
  ])("%j", (options, message) => {
    expect(make(options)).toThrow(message);
  });

  it("a backend that is none", () => {
    expect(() => new SyncLog({} as never, { instanceId: "a" })).toThrow("Expected a Cache, or { transport }");
    expect(() => new SyncLog({ transport: opened(memoryTransport()) }, undefined as never)).toThrow("instanceId");
  });

  it("options of a follow, and events", async () => {
    const log = make({ instanceId: "a", maxEventBytes: 10 })();
    expect(() => log.follow({ batch: 0 })).toThrow("Expected `batch` to be a whole number of at least 1");
    expect(() => log.follow({ from: "end" as "now" })).toThrow('Expected `from` to be "beginning" or "now", got "end"');
    expect(() => log.follow({ resync: "x" as never })).toThrow("Expected `resync` to be a function");
    await expect(log.append("too long for it")).rejects.toThrow("Expected an event of at most 10 bytes, got 17");
    await expect(log.append(undefined)).rejects.toThrow();
    await expect(log.append(1, { timeout: -1 })).rejects.toThrow("timeout");
    await expect(log.append(1, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      kind: "aborted",
      delivery: "none",
    });
    expect(await log.appendMany([])).toEqual([]);
    expect(log.pending).toBe(0);
  });

  it("a name that would be another's keys stays apart", async () => {
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
