import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { isTransportError } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { describe, expect, it } from "vitest";
import { SyncLog } from "../../src/log/sync-log.ts";
import type { Appended, SyncLogOptions } from "../../src/log/types.ts";
import { closing, following, named, waitFor } from "./logs.ts";

// Redis is away, or its replies are lost: no event is lost or repeated, and the order stays.

const opened = closing();

describe.each(["Redis protocol", "REST"])("over %s", (way) => {
  const start = async () => {
    const redis = opened(await startRedisServer({ appendonly: true, args: ["appendfsync always"] }));
    const proxy = opened(await startFaultProxy({ port: redis.port }));
    const connect = async () => {
      const url = `redis://127.0.0.1:${proxy.port}`;
      if (way === "Redis protocol") return opened(tcpTransport({ url }));
      const gateway = opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: url }));
      return opened(restTransport({ url: gateway.url, token: "test" }));
    };
    const open = async (instanceId: string, options: Partial<SyncLogOptions> = {}) =>
      opened(
        new SyncLog<number>(
          { transport: await connect() },
          { instanceId, key: "log", timeout: "500ms", lease: "2s", pollInterval: "500ms", ...options },
        ),
      );
    const stored = async (): Promise<number[]> => {
      const entries = (await redis.command("XRANGE", "log:a", "-", "+")) as [string, string[]][];
      return entries.map(([, [, text]]) => Number(text));
    };
    return { redis, proxy, open, stored };
  };

  it("keeps appends in order while Redis is away, and reports how many wait", async () => {
    const { redis, open, stored } = await start();
    const a = await open("a");
    const reading = opened(following(await open("b")));
    await a.append(0);
    await waitFor(() => expect(reading.seen).toEqual(["a:1"]));
    const kept: number[] = [];
    a.on("kept", ({ pending }) => kept.push(pending));
    await redis.kill();
    const appended: Appended[] = [];
    for (let n = 1; n <= 20; n++) appended.push(await a.append(n));
    expect(appended.every(({ pending }) => pending)).toBe(true);
    expect(a.pending).toBe(20);
    expect(kept.at(-1)).toBe(20);
    await expect(a.append(99, { fallback: false })).rejects.toSatisfy(isTransportError);
    await redis.restart();
    await waitFor(() => expect(a.pending).toBe(0));
    expect(await a.append(21)).toMatchObject({ origin: "a" });
    await waitFor(async () =>
      expect((await stored()).filter((n) => n !== 99)).toEqual(named("", 0, 21).map((one) => Number(one.slice(1)))),
    );
    await waitFor(() => expect(reading.entries.filter(({ event }) => event !== 99).length).toBe(22));
    expect(reading.gaps).toEqual([]);
  });

  it("rejects appends that have no room, and appends the waiting ones when it is closed in time", async () => {
    const { redis, open, stored } = await start();
    const a = await open("a", { outbox: { maxMessages: 3 } });
    await a.append(0);
    await redis.kill();
    const settled = await Promise.allSettled([1, 2, 3, 4].map((n) => a.append(n)));
    expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled", "rejected"]);
    await expect(a.append(5)).rejects.toThrow("no room");
    await redis.restart();
    await a.close();
    const texts = (await stored()).filter((n) => n !== 4);
    expect(texts).toEqual([0, 1, 2, 3]);
  });

  it("reports the lost events when it is closed while Redis stays away", async () => {
    const { redis, open } = await start();
    const a = await open("a");
    await redis.kill();
    const errors: string[] = [];
    a.on("error", ({ operation, error }) => errors.push(`${operation}: ${error.message}`));
    expect(await a.append(1)).toEqual({ origin: "a", atMs: expect.any(Number), pending: true });
    await a.close();
    expect(errors.filter((one) => one.startsWith("close"))).toEqual([
      "close: 1 appends that waited are lost: Redis did not take them in time",
    ]);
  });

  it("appends each event once although replies are lost", async () => {
    const { proxy, open, stored } = await start();
    const a = await open("a");
    const reading = opened(following(await open("b")));
    await a.append(0);
    for (let round = 0; round < 4; round++) {
      proxy.set({ kind: "half-open", lost: "replies" });
      const asked = Promise.all(Array.from({ length: 10 }, (_, n) => a.append(1 + round * 20 + n)));
      await asked;
      proxy.set({ kind: "pass" });
      proxy.cut();
      await Promise.all(Array.from({ length: 10 }, (_, n) => a.append(11 + round * 20 + n)));
    }
    await waitFor(() => expect(a.pending).toBe(0));
    expect(await stored()).toEqual(Array.from({ length: 81 }, (_, n) => n));
    await waitFor(() => expect(reading.seen).toEqual(named("a", 1, 81)));
  });

  it("loses and repeats no event when the server dies at any moment", async () => {
    const { redis, open, stored } = await start();
    const a = await open("a");
    const reading = opened(following(await open("b")));
    let isOver = false;
    let next = 0;
    const accepted: number[] = [];
    const producing = (async () => {
      while (!isOver) {
        const batch = Array.from({ length: 5 }, () => next++);
        const answers = await a.appendMany(batch);
        for (const [at, { pending }] of answers.entries()) if (!pending) accepted.push(batch[at] ?? -1);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    for (let round = 0; round < 3; round++) {
      const count = accepted.length;
      await waitFor(() => expect(accepted.length).toBeGreaterThan(count + 20));
      await redis.kill();
      await redis.restart();
    }
    isOver = true;
    await producing;
    await waitFor(() => expect(a.pending).toBe(0));
    expect(await stored()).toEqual(Array.from({ length: next }, (_, n) => n));
    await waitFor(() => expect(reading.entries.length).toBe(next));
    expect(reading.entries.map(({ event }) => event)).toEqual(Array.from({ length: next }, (_, n) => n));
    expect(reading.gaps).toEqual([]);
  });

  it("stores a commit that was made while Redis was away as soon as it is back", async () => {
    const { redis, open } = await start();
    const [a, b] = [await open("a"), await open("b")];
    const reading = opened(following(b, { commits: false }));
    await a.appendMany([1, 2, 3]);
    await waitFor(() => expect(reading.entries.length).toBe(3));
    await redis.kill();
    const errors: string[] = [];
    b.on("error", ({ operation }) => errors.push(operation));
    await reading.entries[1]?.commit();
    expect(errors).toContain("commit");
    await redis.restart();
    await waitFor(async () => expect(String(await redis.command("HGET", "log:cursors:b", "a"))).toMatch(/-2$/));
  });
});
