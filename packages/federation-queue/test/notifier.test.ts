import { closing, type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { FederationQueue } from "../src/queue/federation-queue.ts";
import { createNotifier, readNotifications } from "../src/shared/notifier.ts";

const opened = closing(afterEach);
const started = closing(afterAll);
const soon = { timeout: 60_000 };

describe("a notifier", () => {
  let redis: RedisServer;
  let backends: Record<"tcp" | "rest" | "memory", () => Transport>;
  beforeAll(async () => {
    redis = started(await startRedisServer());
    const rest = started(await startUpstashLocal({ port: 0, redisUrl: redis.url }));
    backends = {
      tcp: () => tcpTransport({ url: redis.url }),
      rest: () => restTransport({ url: rest.url, token: rest.token }),
      memory: () => memoryTransport(),
    };
  });

  const listening = async (transport: Transport) => {
    const notifier = opened(createNotifier(transport, "work", 2_000));
    const heard: (readonly string[])[] = [];
    const stop = notifier.listen((notifications) => void heard.push(notifications));
    await expect.poll(() => notifier.isListening, soon).toBe(true);
    return { notifier, heard, stop };
  };

  it.each(["tcp", "rest", "memory"] as const)(
    "sends many notifications as one message to all listeners: %s",
    async (name) => {
      const one = opened(backends[name]());
      const other = name === "memory" ? one : opened(backends[name]());
      const { notifier, heard } = await listening(one);
      const { heard: elsewhere } = await listening(other);
      const sender = opened(createNotifier(other, "work", 2_000));
      for (const notification of ["a", "b", "a", undefined]) sender.notify(notification);
      await expect.poll(() => heard, soon).toEqual([[], ["a", "b"]]);
      notifier.notify();
      await expect.poll(() => elsewhere, soon).toEqual([[], ["a", "b"], []]);
    },
  );

  it("sends many notifications without waiting", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const sent: unknown[] = [];
    const transport: Transport = {
      ...opened(memoryTransport()),
      async send(commands) {
        sent.push(...commands);
        return commands.map(() => 0);
      },
    };
    const sender = opened(createNotifier(transport, "work", 2_000));
    sender.notify();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([["PUBLISH", "work", "[]"]]);
    for (let count = 0; count < 49; count++) sender.notify("some");
    await vi.advanceTimersByTimeAsync(0);
    expect(sent.length).toBe(1);
    sender.notify("one more");
    await vi.advanceTimersByTimeAsync(0);
    expect(sent.slice(1)).toEqual([["PUBLISH", "work", '["some","one more"]']]);
  });

  it("adds a message to a round trip when one is due, and otherwise waits for the next", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const sent: unknown[] = [];
    const transport: Transport = {
      ...opened(memoryTransport()),
      async send(commands) {
        sent.push(...commands);
        return commands.map(() => 0);
      },
    };
    const sender = opened(createNotifier(transport, "work", 2_000));
    expect(sender.notifyAlong(["a", "b"], 2)).toEqual(["PUBLISH", "work", '["a","b"]']);
    expect(sender.notifyAlong(["c"], 1)).toBeUndefined();
    expect(sender.notifyAlong(["d"], 1)).toBeUndefined();
    await vi.advanceTimersByTimeAsync(19);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toEqual([["PUBLISH", "work", '["c","d"]']]);
    await vi.advanceTimersByTimeAsync(20);
    sender.notify("e");
    // The round trip takes along the notifications of the same tick.
    expect(sender.notifyAlong(["f"], 1)).toEqual(["PUBLISH", "work", '["e","f"]']);
    expect(sender.notifyAlong(["g"], 1)).toBeUndefined();
    // So many do not wait, nor do those that waited before.
    expect(sender.notifyAlong(["h"], 49)).toEqual(["PUBLISH", "work", '["g","h"]']);
    await vi.advanceTimersByTimeAsync(40);
    expect(sent.slice(1)).toEqual([]);
    await sender.close();
    expect(sender.notifyAlong(["i"], 1)).toBeUndefined();
  });

  it("calls its listeners with no notification when the stream broke, and listens again", async () => {
    const own = opened(await startRedisServer());
    const { notifier, heard } = await listening(opened(tcpTransport({ url: own.url })));
    await own.kill();
    await expect.poll(() => [heard.length, notifier.isListening], soon).toEqual([2, false]);
    await own.restart();
    await expect.poll(() => notifier.isListening, soon).toBe(true);
    await own.command("PUBLISH", "work", "no list of notifications");
    await own.command("PUBLISH", "work", '["x",1]');
    await expect.poll(() => heard.slice(2), soon).toEqual([[], [], ["x"]]);
  });

  it("sends what waits when it closes, and leaves nothing behind", async () => {
    const { heard, notifier } = await listening(opened(backends.tcp()));
    const sender = createNotifier(opened(backends.tcp()), "work", 2_000);
    sender.notify("last");
    await sender.close();
    sender.notify("later");
    await expect.poll(() => heard, soon).toEqual([[], ["last"]]);
    await notifier.close();
    await expect.poll(() => redis.command("PUBSUB", "NUMSUB", "work"), soon).toEqual(["work", 0]);
    expect(notifier.isListening).toBe(false);
  });

  it("does not throw where the server is away", async () => {
    const own = await startRedisServer();
    const transport = opened(tcpTransport({ url: own.url }));
    await own.close();
    const notifier = createNotifier(transport, "work", 200);
    notifier.listen(() => {});
    notifier.notify("lost");
    await notifier.close();
    expect(notifier.isListening).toBe(false);
  });
});

it("reports once that an ACL forbids its channel, and listens as soon as it may", async () => {
  const redis = opened(await startRedisServer({ users: ["app on >secret resetchannels ~* +@all"] }));
  const transport = opened(tcpTransport({ url: `redis://app:secret@127.0.0.1:${redis.port}` }));
  const queue = opened(new FederationQueue({ transport }, { pollInterval: "200ms" }));
  const errors: { readonly operation: string; readonly error: Error }[] = [];
  const done: unknown[] = [];
  queue.on("error", (event) => errors.push(event));
  queue.consume((event) => void done.push(event));
  await vi.waitFor(() => expect(errors).toHaveLength(1), { timeout: 60_000 });
  expect(errors).toMatchObject([{ operation: "listen", error: { kind: "unauthorized" } }]);
  await queue.push("found by looking");
  await vi.waitFor(() => expect(done).toEqual(["found by looking"]), { timeout: 60_000 });
  await redis.command("ACL", "SETUSER", "app", "allchannels");
  await vi.waitFor(async () => expect(await redis.command("PUBSUB", "NUMSUB", "fed:queue")).toEqual(["fed:queue", 1]), {
    timeout: 60_000,
  });
  expect(errors).toHaveLength(1);
});

it("reads no notification from a message that another client made up", () => {
  for (const data of [
    "",
    "[",
    "null",
    '{"a":1}',
    "5",
    "[".repeat(100_000),
    new Uint8Array([0xff]),
    `["${"x".repeat(1 << 20)}"]`,
  ]) {
    expect(readNotifications(data)).toEqual([]);
  }
  expect(readNotifications('["a",5,null,["b"],"c"]')).toEqual(["a", "c"]);
  expect(readNotifications(JSON.stringify(Array.from({ length: 50_000 }, () => "n")))).toHaveLength(10_000);
});
