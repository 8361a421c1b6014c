import { describe, expect, it } from "vitest";
import { onBothEngines, onRedis } from "./engines.ts";
import { post, send } from "./raw-http.ts";

const notInRest = (name: string) => `ERR Command "${name}" is not allowed in REST or it has a special context path`;
const notAvailable = (name: string) =>
  `ERR Command is not available: '${name}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details`;

onBothEngines("refused commands", (running) => {
  const run = async (...command: (string | number)[]) => {
    const answer = await post(running().server.url, "/", command);
    return [answer.status, answer.json];
  };

  const refusedInRest: [string, ...(string | number)[]][] = [
    ["AUTH", "x"],
    ["MULTI"],
    ["EXEC"],
    ["DISCARD"],
    ["WATCH", "k"],
    ["UNWATCH"],
    ["HELLO", 3],
    ["QUIT"],
    ["RESET"],
    ["SELECT", 1],
    ["SUBSCRIBE", "c"],
    ["UNSUBSCRIBE"],
    ["PSUBSCRIBE", "c*"],
    ["PUNSUBSCRIBE"],
    ["CLIENT", "LIST"],
    ["MONITOR"],
    ["BLPOP", "l", 0],
    ["BRPOP", "l", 0],
    ["BRPOPLPUSH", "l", "m", 0],
    ["BLMOVE", "l", "m", "LEFT", "LEFT", 0],
    ["BLMPOP", 0, 1, "l", "LEFT"],
    ["BZPOPMIN", "z", 0],
    ["BZPOPMAX", "z", 0],
    ["BZMPOP", 0, 1, "z", "MIN"],
    ["XREAD", "COUNT", 1, "BLOCK", 0, "STREAMS", "s", "$"],
    ["XREADGROUP", "GROUP", "g", "c", "block", 0, "STREAMS", "s", ">"],
  ];
  it.each(refusedInRest)("%s is not for REST, in any place and any case", async (name, ...args) => {
    const error = notInRest(name);
    expect(await run(name, ...args)).toEqual([400, { error }]);
    expect(await run(name.toLowerCase(), ...args)).toEqual([400, { error }]);
    const { url } = running().server;
    const pipeline = await post(url, "/pipeline", [["PING"], [name, ...args]]);
    expect([pipeline.status, pipeline.json]).toEqual([200, [{ result: "PONG" }, { error }]]);
    const transaction = await post(url, "/multi-exec", [["PING"], [name, ...args]]);
    expect([transaction.status, transaction.json]).toEqual([400, { error }]);
  });

  it("/unsubscribe and /punsubscribe are no endpoints", async () => {
    const { url } = running().server;
    expect((await send(url, "/unsubscribe/c")).json).toEqual({ error: notInRest("UNSUBSCRIBE") });
    expect((await send(url, "/punsubscribe/c")).json).toEqual({ error: notInRest("PUNSUBSCRIBE") });
  });

  it("/monitor is refused with a hint at what to do instead", async () => {
    for (const method of ["GET", "POST"]) {
      const answer = await send(running().server.url, "/monitor", { method, headers: { accept: "text/event-stream" } });
      expect([answer.status, answer.json]).toEqual([400, { error: expect.stringMatching(/\/monitor.*redis-cli/) }]);
    }
  });

  it.each(
    `ROLE ASKING BGREWRITEAOF BGSAVE CLUSTER DEBUG FAILOVER LASTSAVE LATENCY LCS LOLWUT MIGRATE MODULE MOVE OBJECT PFDEBUG PSYNC
    READONLY READWRITE REPLICAOF SLAVEOF SAVE SHUTDOWN SLOWLOG SORT SORT_RO SPUBLISH SSUBSCRIBE SUNSUBSCRIBE SUBSTR SWAPDB SYNC
    XSETID NO-SUCH-COMMAND`.split(/\s+/),
  )("%s is not available", async (name) => {
    expect(await run(name, "x", "y")).toEqual([400, { error: notAvailable(name) }]);
    expect(await run(name.toLowerCase(), "x")).toEqual([400, { error: notAvailable(name) }]);
  });

  it.each([
    ["COMMAND", "COUNT"],
    ["CONFIG", "RESETSTAT"],
    ["CONFIG", "REWRITE"],
    ["FUNCTION", "DUMP"],
    ["FUNCTION", "RESTORE", "x"],
    ["MEMORY", "DOCTOR"],
    ["SCRIPT", "DEBUG", "YES"],
    ["PUBSUB", "SHARDCHANNELS"],
    ["ACL", "SETUSER", "x"],
  ])("%s %s is not available", async (name, ...args) => {
    expect(await run(name, ...args)).toEqual([400, { error: notAvailable(name) }]);
  });

  it("COMMAND is an empty list, UNLINK takes no keys, and most settings are invisible", async () => {
    expect(await run("COMMAND")).toEqual([200, { result: [] }]);
    expect(await run("UNLINK")).toEqual([200, { result: 0 }]);
    expect(await run("CONFIG", "GET", "maxmemory")).toEqual([200, { result: [] }]);
    expect(await run("CONFIG", "SET", "maxmemory", 1)).toEqual([400, { error: notAvailable("CONFIG") }]);
  });

  it("WAIT and WAITAOF answer at once: there are no replicas", async () => {
    expect(await run("WAIT", 1, 0)).toEqual([200, { result: 0 }]);
    expect(await run("WAITAOF", 1, 0, 0)).toEqual([200, { result: [0, 0] }]);
    expect(await run("WAIT")).toEqual([400, { error: "ERR wrong number of arguments for 'wait' command" }]);
  });

  it("EVALSHA of an unknown script is NOSCRIPT", async () => {
    expect(await run("EVALSHA", "0".repeat(40), 0)).toEqual([
      400,
      { error: expect.stringMatching(/^NOSCRIPT No matching script/) },
    ]);
  });
});

describe("in front of Redis", () => {
  onRedis((running) => {
    const run = async (...command: (string | number)[]) => (await post(running().server.url, "/", command)).json;

    it("streams can be read without blocking, also by a consumer called block", async () => {
      await run("XADD", "s", "1-1", "f", "v");
      await run("XGROUP", "CREATE", "s", "block", 0);
      const entries = { result: [["s", [["1-1", ["f", "v"]]]]] };
      expect(await run("XREAD", "COUNT", 1, "STREAMS", "s", 0)).toEqual(entries);
      expect(await run("XREADGROUP", "GROUP", "block", "BLOCK", "STREAMS", "s", ">")).toEqual(entries);
    });

    it("keyspace notifications can be switched on", async () => {
      expect(await run("CONFIG", "SET", "notify-keyspace-events", "KEA")).toEqual({ result: "OK" });
      expect(await run("CONFIG", "GET", "notify-keyspace-events")).toEqual({
        result: ["notify-keyspace-events", expect.stringMatching(/K/)],
      });
      await run("CONFIG", "SET", "notify-keyspace-events", "");
    });

    it("a state that Redis names keeps its name", async () => {
      await running().redis?.command("REPLICAOF", "127.0.0.1", 1);
      const { url } = running().server;
      const answer = await post(url, "/", ["SET", "k", "v"]);
      expect([answer.status, answer.json]).toEqual([500, { error: expect.stringMatching(/^READONLY /) }]);
      await running().redis?.command("REPLICAOF", "NO", "ONE");
    });

    it("a full database speaks of its capacity", async () => {
      const { redis } = running();
      await redis?.command("CONFIG", "SET", "maxmemory", 1);
      expect(await run("SET", "k", "v")).toEqual({ error: "ERR DB capacity quota exceeded" });
      expect(await run("GET", "k")).toEqual({ result: null });
      await redis?.command("CONFIG", "SET", "maxmemory", 0);
    });

    it("commands outside the table of commands reach Redis", async () => {
      await run("SADD", "set", "a");
      await run("ZADD", "z", 1.5, "m");
      expect(await run("SMEMBERS", "set")).toEqual({ result: ["a"] });
      expect(await run("ZRANGE", "z", 0, -1, "WITHSCORES")).toEqual({ result: ["m", "1.5"] });
      expect(await run("MEMORY", "USAGE", "set")).toEqual({ result: expect.any(Number) });
    });
  });
});
