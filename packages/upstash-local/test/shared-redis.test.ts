import { expect, it } from "vitest";
import { onRedis } from "./engines.ts";
import { post, send } from "./raw-http.ts";

const notAvailable = (name: string) => ({
  error:
    `ERR Command is not available: '${name}'. ` +
    "See https://upstash.com/docs/redis/overall/rediscompatibility for details",
});

/** Commands on the developer's Redis that reach beyond the single database of the service. */
onRedis((running) => {
  const secret = "canary-password";
  const run = async (...command: (string | number)[]) => (await post(running().server.url, "/", command)).json;
  const ofRedis = async (name: string) => String(await running().redis?.command("CONFIG", "GET", name));

  it("its settings are neither shown nor changed, however they are asked for", async () => {
    const { server, redis } = running();
    await redis?.command("CONFIG", "SET", "masterauth", secret);
    const maxmemory = await ofRedis("maxmemory");
    const shown = { result: ["notify-keyspace-events", ""] };
    for (const [name, get, set] of [
      ["CONFIG", "GET", "SET"],
      ["config", "get", "set"],
      ["cOnFiG", "gEt", "sEt"],
    ] as const) {
      expect(await run(name, get, "masterauth")).toEqual({ result: [] });
      expect(await run(name, get, "m*", "[a-z]aster*")).toEqual({ result: [] });
      for (const patterns of [
        ["*"],
        ["notify-*"],
        ["NOTIFY-KEYSPACE-EVENTS", "masterauth"],
        ["masterauth", "notify-keyspace-events"],
      ]) {
        expect(await run(name, get, ...patterns)).toEqual(shown);
        const pairs = patterns.map((pattern) => encodeURIComponent(pattern)).join("/");
        expect((await send(server.url, `/${name}/${get}/${pairs}`)).json).toEqual(shown);
      }
      const smuggled = ["notify-keyspace-events", "", "maxmemory", "123456", "masterauth", "attacker"];
      expect(await run(name, set, ...smuggled)).toEqual(notAvailable("CONFIG"));
      expect(await run(name, set, "maxmemory", 1)).toEqual(notAvailable("CONFIG"));
    }
    // A body and a query are arguments too.
    const raw = await send(server.url, "/config/get/notify-keyspace-events?masterauth", { body: "masterauth" });
    expect(raw.json).toEqual(shown);
    const commands = [["CONFIG", "GET", "notify-keyspace-events", "masterauth"]];
    for (const path of ["/pipeline", "/multi-exec"])
      expect((await post(server.url, path, commands)).json).toEqual([shown]);
    const transaction = [["CONFIG", "SET", "notify-keyspace-events", "", "masterauth", "attacker"]];
    expect((await post(server.url, "/multi-exec", transaction)).json).toEqual(notAvailable("CONFIG"));
    expect(await ofRedis("masterauth")).toContain(secret);
    expect(await ofRedis("maxmemory")).toBe(maxmemory);
    await redis?.command("CONFIG", "SET", "masterauth", "");
  });

  it.each([
    ["CONFIG", "REWRITE"],
    ["CONFIG", "HELP"],
    ["CONFIG"],
    ["ACL", "WHOAMI"],
    ["ACL", "LIST"],
    ["ACL", "LOAD"],
    ["ACL"],
    ["SCRIPT", "DEBUG", "SYNC"],
    ["SCRIPT", "SHOW", "x"],
    ["FUNCTION", "RESTORE", "x"],
    ["FUNCTION", "DUMP"],
    ["MEMORY", "PURGE"],
    ["PUBSUB", "SHARDNUMSUB"],
    ["COMMAND", "GETKEYS", "GET", "k"],
    ["COPY", "a", "b", "DB", "1"],
    ["copy", "a", "b", "replace", "db", "1"],
    ["POST", "/"],
    ["host:", "x"],
    ["DEBUG", "SLEEP", "0"],
    ["SHUTDOWN", "NOSAVE"],
    ["REPLICAOF", "NO", "ONE"],
    ["MODULE", "LIST"],
    ["SWAPDB", "0", "1"],
    ["MIGRATE", "127.0.0.1", "1", "k", "0", "1"],
  ])("%s %s is not available, and the connection that all share goes on", async (name, ...args) => {
    expect(await run(name, ...args)).toEqual(notAvailable(name.toUpperCase()));
    expect((await post(running().server.url, "/pipeline", [[name, ...args], ["PING"]])).json).toEqual([
      notAvailable(name.toUpperCase()),
      { result: "PONG" },
    ]);
  });

  it("no script that others run is killed", async () => {
    expect(await run("SCRIPT", "KILL")).toEqual({ error: "NOTBUSY No scripts in execution right now." });
    expect(await run("FUNCTION", "KILL")).toEqual({ error: "NOTBUSY No functions in execution right now." });
  });

  it("FLUSHALL empties the one database, and leaves the others of the same Redis", async () => {
    const { redis, server } = running();
    await redis?.command("SET", "here", 1);
    await redis?.command("COPY", "here", "there", "DB", 1);
    for (const command of [["FLUSHALL"], ["flushall", "async"]])
      expect(await run(...command)).toEqual({ result: "OK" });
    expect((await send(server.url, "/flushall/sync")).json).toEqual({ result: "OK" });
    expect(await run("DBSIZE")).toEqual({ result: 0 });
    expect(await redis?.command("SWAPDB", 0, 1)).toBe("OK");
    expect(await redis?.command("GET", "there")).toBe("1");
  });

  it.each([
    ["config", "get", "requirepass"],
    ["config", "set", "maxmemory", "1"],
    ["acl", "list"],
    ["debug", "sleep", "0"],
    ["shutdown", "nosave"],
    ["replicaof", "no", "one"],
    ["client", "list"],
    ["monitor"],
    ["save"],
    ["module", "list"],
  ])("Redis refuses a script %s %s", async (...words) => {
    const call = `return redis.call(${words.map((word) => `'${word}'`).join(",")})`;
    expect(await run("EVAL", call, 0)).toEqual({ error: expect.stringMatching(/not allowed from script/) });
  });
});
