import { access } from "node:fs/promises";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { afterEach, describe, expect, it } from "vitest";

const opened: { close(): Promise<void> }[] = [];
const start: typeof startRedisServer = async (options) => {
  const server = await startRedisServer(options);
  opened.push(server);
  return server;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

describe("startRedisServer", () => {
  it("starts an empty server that answers, and forgets it on close", async () => {
    const server = await start();
    expect(await server.command("PING")).toBe("PONG");
    expect(await server.command("DBSIZE")).toBe(0);
    await server.close();
    await expect(server.command("PING")).rejects.toThrow();
    expect(() => process.kill(server.pid, 0)).toThrow();
    await server.close();
  });

  it("asks for its password, and puts it into the url", async () => {
    const server = await start({ password: "p@ss/word" });
    expect(server.url).toBe(`redis://:p%40ss%2Fword@127.0.0.1:${server.port}`);
    expect(await server.command("PING")).toBe("PONG");
  });

  it("knows its users", async () => {
    const server = await start({ users: ["app on >pw ~app:* &app:* +@all"] });
    expect(await server.command("ACL", "USERS")).toEqual(["app", "default"]);
  });

  it("speaks TLS under its own authority", async () => {
    const server = await start({ tls: true });
    expect(server.url).toMatch(/^rediss:/);
    expect(server.ca).toContain("BEGIN CERTIFICATE");
    await access(server.caPath ?? "");
    expect(await server.command("ECHO", "hello")).toBe("hello");
  });

  it("answers nothing while frozen and goes on when thawed", async () => {
    const server = await start();
    server.freeze();
    let answered = false;
    const pong = server.command("PING").finally(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(answered).toBe(false);
    server.thaw();
    expect(await pong).toBe("PONG");
  });

  it("keeps its port across kill and restart, and its data with appendonly", async () => {
    const server = await start({ appendonly: true });
    await server.command("SET", "k", "v");
    const before = server.pid;
    await server.kill();
    await expect(server.command("PING")).rejects.toThrow();
    await server.restart();
    expect(server.pid).not.toBe(before);
    expect(await server.command("GET", "k")).toBe("v");
  });

  it("can be closed while frozen", async () => {
    const server = await start();
    server.freeze();
    await server.close();
    expect(() => process.kill(server.pid, 0)).toThrow();
  });

  it("counts commands", async () => {
    const server = await start();
    await server.command("SET", "a", 1);
    await server.resetStats();
    await server.command("GET", "a");
    await server.command("GET", "a");
    const stats = await server.commandStats();
    expect(stats["get"]).toBe(2);
    expect(stats["set"]).toBeUndefined();
  });

  it("says what to install when there is no binary", async () => {
    process.env["REDIS_SERVER"] = "/nowhere/redis-server";
    try {
      await expect(startRedisServer()).rejects.toThrow(/apt-get install redis-server/);
    } finally {
      delete process.env["REDIS_SERVER"];
    }
  });

  it("repeats what the server printed when its configuration is wrong", async () => {
    await expect(startRedisServer({ args: ["no-such-directive 1"] })).rejects.toThrow(/no-such-directive/);
  });
});
