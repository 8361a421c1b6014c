import { createHash } from "node:crypto";
import { defineScript } from "@continuum-cache/core/kit";
import { Redis } from "@upstash/redis";
import { expect, it } from "vitest";
import { onBothEngines } from "./engines.ts";

const doubled = defineScript({
  name: "upstash-local-test-doubled",
  keys: 1,
  lua: `return redis.call("INCRBY", KEYS[1], 2 * ARGV[1])`,
  memory: ({ call, keys: [key = ""], args: [amount = ""] }) => call("INCRBY", key, 2 * Number(amount)),
});

onBothEngines("the official client", (running) => {
  const client = (
    options: { readYourWrites?: boolean; enableAutoPipelining?: boolean; responseEncoding?: false } = {},
  ) => new Redis({ url: running().server.url, token: "local", retry: { retries: 0 }, ...options });

  it.each([{}, { enableAutoPipelining: false }, { responseEncoding: false as const }])(
    "sets and gets what it stored, with %j",
    async (options) => {
      const redis = client(options);
      expect(await redis.set("k", { a: [1, "ü😀"] }, { ex: 100 })).toBe("OK");
      expect(await redis.get("k")).toEqual({ a: [1, "ü😀"] });
      expect(await redis.get("missing")).toBeNull();
      expect(await redis.set("ok", "OK")).toBe("OK");
      expect(await redis.get("ok")).toBe("OK");
      expect(await redis.mget("ok", "missing", "k")).toEqual(["OK", null, { a: [1, "ü😀"] }]);
      expect(await redis.ping()).toBe("PONG");
      expect(await redis.type("k")).toBe("string");
      expect(await redis.incrby("n", 5)).toBe(5);
      expect(await redis.hset("h", { f: 1, g: "x" })).toBe(2);
      expect(await redis.hgetall("h")).toEqual({ f: 1, g: "x" });
      expect(await redis.hgetall("missing")).toBeNull();
      expect(await redis.rpush("l", "a", "b")).toBe(2);
      expect(await redis.lrange("l", 0, -1)).toEqual(["a", "b"]);
      expect(await redis.del("k", "ok", "missing")).toBe(2);
    },
  );

  it("runs pipelines and transactions, errors kept in their places", async () => {
    const redis = client();
    expect(await redis.pipeline().set("k", 1).incr("k").get("k").exec()).toEqual(["OK", 2, 2]);
    expect(await redis.multi().set("k", 5).incr("k").exec()).toEqual(["OK", 6]);
    await redis.set("text", "abc");
    const slots = await redis.pipeline().incr("text").get("text").exec({ keepErrors: true });
    expect(slots[0]?.error).toMatch(/not an int/);
    expect(slots[1]?.result).toBe("abc");
    await expect(redis.incr("text")).rejects.toThrow(/not an int/);
  });

  it("scans", async () => {
    const redis = client();
    await redis.mset(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`scan:${index}`, index])));
    await redis.set("other", 1);
    const found = new Set<string>();
    let cursor = "0";
    do {
      const [next, keys] = await redis.scan(cursor, { match: "scan:*", count: 20 });
      cursor = next;
      for (const key of keys) found.add(key);
    } while (cursor !== "0");
    expect(found.size).toBe(50);
  });

  it("runs scripts by text, by hash, and by its own createScript", async () => {
    const redis = client();
    expect(await redis.eval(doubled.lua, ["n"], [5])).toBe(10);
    expect(await redis.scriptLoad(doubled.lua)).toBe(doubled.sha1);
    expect(await redis.evalsha(createHash("sha1").update(doubled.lua).digest("hex"), ["n"], [1])).toBe(12);
    expect(await redis.createScript<number>(doubled.lua).exec(["n"], ["1"])).toBe(14);
    expect(await redis.scriptExists(doubled.sha1)).toEqual([1]);
  });

  it("sees a new sync token after every write, pipeline and script", async () => {
    const redis = client();
    const tokens: (string | undefined)[] = [];
    await redis.set("k", 1);
    tokens.push(redis.readYourWritesSyncToken);
    await redis.pipeline().set("k", 2).exec();
    tokens.push(redis.readYourWritesSyncToken);
    await redis.eval(doubled.lua, ["n"], [5]);
    tokens.push(redis.readYourWritesSyncToken);
    await redis.multi().set("k", 3).exec();
    tokens.push(redis.readYourWritesSyncToken);
    expect(tokens.every((token) => typeof token === "string" && token !== "")).toBe(true);
    expect(new Set(tokens).size).toBe(4);
    redis.readYourWritesSyncToken = "my-new-sync-token";
    expect(await redis.get("k")).toBe(3);
  });

  it("subscribes and psubscribes", async () => {
    const redis = client();
    const heard: unknown[] = [];
    const channel = redis.subscribe<{ n: number }>("chat");
    const pattern = redis.psubscribe<{ n: number }>("user:*");
    channel.on("message", ({ channel, message }) => heard.push(["message", channel, message]));
    pattern.on("pmessage", ({ pattern, channel, message }) => heard.push(["pmessage", pattern, channel, message]));
    await Promise.all([
      new Promise<void>((resolve) => channel.on("subscribe", (count) => count === 1 && resolve())),
      new Promise<void>((resolve) => pattern.on("psubscribe", (count) => count === 1 && resolve())),
    ]);
    expect(await redis.publish("chat", { n: 1 })).toBe(1);
    expect(await redis.publish("user:7", { n: 2 })).toBe(1);
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toEqual(
      expect.arrayContaining([
        ["message", "chat", { n: 1 }],
        ["pmessage", "user:*", "user:7", { n: 2 }],
      ]),
    );
    await channel.unsubscribe();
    await pattern.unsubscribe();
    await expect.poll(() => redis.publish("chat", "nobody")).toBe(0);
  });

  it("gets an error for a wrong token", async () => {
    const redis = new Redis({ url: running().server.url, token: "wrong", retry: { retries: 0 } });
    await expect(redis.get("k")).rejects.toThrow(/WRONGPASS invalid or missing auth token/);
  });

  it("runs raw commands, and gets errors for those that are not available", async () => {
    expect(await client().exec(["SET", "k", "v"])).toBe("OK");
    await expect(client().exec(["ROLE"])).rejects.toThrow(/Command is not available: 'ROLE'/);
  });
});
