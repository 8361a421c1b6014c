import { describe, expect, it } from "vitest";
import { closing, following, logsOn, servers, waitFor } from "./logs.ts";

// The cost of a log, in commands as Redis counts them.

const opened = closing();

describe.each(servers)("over $name", (backend) => {
  const start = async () => {
    const { open, redis, ...rest } = await logsOn<number>(backend, opened);
    if (!redis) throw new Error("Expected a server");
    return { open, redis, ...rest };
  };
  const own = (stats: Record<string, number>): Record<string, number> => {
    const { info, config, ping, hello, client, auth, select, subscribe, unsubscribe, ...rest } = stats;
    return Object.fromEntries(Object.entries(rest).filter(([name]) => !/^(config|client|command)\|/.test(name)));
  };

  it("appends N events with N + 3 commands and one notification", async () => {
    const { open, redis } = await start();
    const a = open("a");
    await a.append(0);
    await waitFor(async () => expect((await redis.commandStats())["publish"]).toBe(1));
    for (const count of [1, 10, 100]) {
      await redis.resetStats();
      await a.appendMany(Array.from({ length: count }, (_, n) => n));
      await waitFor(async () => expect((await redis.commandStats())["publish"]).toBe(1));
      expect(own(await redis.commandStats())).toEqual({
        evalsha: 1,
        hget: 1,
        "xinfo|stream": 1,
        xadd: count,
        publish: 1,
      });
    }
  });

  it("sends the appends of one tick in one round trip", async () => {
    const { open, redis } = await start();
    const a = open("a");
    await a.append(0);
    await redis.resetStats();
    await Promise.all(Array.from({ length: 50 }, (_, n) => a.append(n)));
    expect((await redis.commandStats())["evalsha"]).toBe(1);
  });

  it("reads all origins with one command, and stores the commits of one tick with one", async () => {
    const { open, redis } = await start();
    const origins = ["a", "c", "d"].map((name) => open(name));
    for (const log of origins) await log.append(0);
    const reading = opened(following(open("b"), { commits: false }));
    await waitFor(() => expect(reading.entries.length).toBe(3));
    await waitFor(async () => expect((await redis.commandStats())["publish"]).toBe(3));
    // When the stream is there, the reader asks for the origins once more: it may have missed one. That is over with
    // one more event.
    await waitFor(async () => expect((await redis.commandStats())["subscribe"]).toBe(1));
    await origins[0]?.append(0);
    await waitFor(() => expect(reading.entries.length).toBe(4));
    await redis.resetStats();
    await Promise.all(origins.map((log) => log.append(1)));
    await waitFor(() => expect(reading.entries.length).toBe(7));
    const { xread = 0, hgetall = 0 } = await redis.commandStats();
    // One for each notification that arrives separately.
    expect(xread).toBeLessThanOrEqual(4);
    expect(hgetall).toBe(0);
    await redis.resetStats();
    await Promise.all(reading.entries.map((entry) => entry.commit()));
    expect(own(await redis.commandStats())).toEqual({ hset: 1 });
  });

  it("costs an idle follower one read per poll, and one renewal of its name per half lease", async () => {
    const { open, redis } = await start();
    await open("a").append(0);
    const reading = opened(following(open("b", { lease: "1s", pollInterval: "400ms" })));
    await waitFor(() => expect(reading.entries.length).toBe(1));
    // The notification of the event and the stream that has just opened cost reads of their own. They are over after
    // some polls.
    await redis.resetStats();
    await waitFor(async () => expect((await redis.commandStats())["xread"]).toBeGreaterThanOrEqual(5));
    const startedMs = performance.now();
    await redis.resetStats();
    await waitFor(async () => expect((await redis.commandStats())["xread"]).toBeGreaterThanOrEqual(5));
    const { xread = 0, hgetall = 0, evalsha = 0, ...others } = own(await redis.commandStats());
    const elapsedMs = performance.now() - startedMs;
    expect(xread).toBeLessThanOrEqual(elapsedMs / 300 + 3);
    expect(hgetall).toBeLessThanOrEqual(elapsedMs / 300 + 3);
    expect(evalsha).toBeLessThanOrEqual(elapsedMs / 500 + 1);
    expect(
      Object.keys(others).filter((name) => !["hget", "hset", "time", "xinfo|stream", "xtrim"].includes(name)),
    ).toEqual([]);
  });
});
