import { Agent, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocalOptions } from "@continuum-cache/upstash-local";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStream, until } from "./event-stream.ts";
import { send } from "./raw-http.ts";

const isClosed = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.once("error", () => resolve(true));
  });

describe("start", () => {
  it("returns its address, and takes a free port for 0", async () => {
    const server = await startUpstashLocal({ port: 0, token: "my-token", readOnlyToken: "ro" });
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    expect([server.token, server.readOnlyToken]).toEqual(["my-token", "ro"]);
    await server.close();
  });

  it("an address of all interfaces becomes one to connect to", async () => {
    const server = await startUpstashLocal({ port: 0, token: "local", host: "0.0.0.0" });
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`);
    await server.close();
  });

  it("a taken port is a ConfigError that names it", async () => {
    const first = await startUpstashLocal({ port: 0, token: "local" });
    await expect(startUpstashLocal({ port: first.port, token: "local" })).rejects.toMatchObject({
      name: "ConfigError",
      setting: "port",
      message: expect.stringMatching(new RegExp(`^Port ${first.port} of 127.0.0.1 is taken`)),
    });
    await first.close();
  });

  it.each<[UpstashLocalOptions, string, RegExp]>([
    [{ port: 70_000 }, "port", /got 70000/],
    [{ port: 1.5 }, "port", /got 1.5/],
    [{ host: "" }, "host", /empty/],
    [{ token: "" }, "token", /empty text/],
    [{ token: "canary token\n" }, "token", /blank/],
    [{ token: "same", readOnlyToken: "same" }, "readOnlyToken", /same as/],
    [{ redisUrl: "http://127.0.0.1" }, "url", /http:/],
    [{ redisUrl: "redis://db.example:6379" }, "url", /allowInsecure/],
    [
      { redisUrl: "redis://127.0.0.1", engine: { name: "x", send: async () => [], close: async () => {} } },
      "engine",
      /one/,
    ],
  ])("refuses %j", async (options, setting, message) => {
    const error = await startUpstashLocal({ port: 0, token: "local", ...options }).catch((reason) => reason);
    expect(error).toMatchObject({ name: "ConfigError", setting, message: expect.stringMatching(message) });
    expect(error.message).not.toContain("canary");
  });
});

describe("close", () => {
  it("ends streams, idle connections and the port, and may be called twice", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.close());
    const server = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      const headers = { authorization: "Bearer local" };
      httpRequest(`${server.url}/ping`, { agent, headers }, (response) => response.resume().once("end", resolve))
        .once("error", reject)
        .end();
    });
    const streams = await Promise.all([1, 2, 3].map(() => openStream(server.url, "/subscribe/c")));
    for (const stream of streams) await stream.first(1);
    await Promise.all([server.close(), server.close()]);
    await Promise.all(streams.map((stream) => stream.ended));
    expect(await isClosed(server.port)).toBe(true);
    await until(
      async () => !/addr=/.test(String(await redis.command("CLIENT", "LIST", "TYPE", "pubsub"))),
      () => "Expected no subscription to be left",
    );
    agent.destroy();
  });

  it("lets an in-flight request finish", async () => {
    const server = await startUpstashLocal({ port: 0, token: "local" });
    server.fault({ slowMs: 100 });
    const asked = send(server.url, "/ping");
    await until(
      () => server.usage.requests === 1,
      () => "Expected the request to arrive",
    );
    await server.close();
    expect((await asked).json).toEqual({ result: "PONG" });
  });

  it("does not wait for requests that hang", async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.close());
    const server = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
    await send(server.url, "/ping");
    redis.freeze();
    const asked = send(server.url, "/ping").catch(() => "dropped");
    server.fault("hang");
    const hanging = send(server.url, "/ping").catch(() => "dropped");
    await until(
      () => server.usage.requests === 3,
      () => "Expected the requests to arrive",
    );
    await server.close();
    expect(await Promise.all([asked, hanging])).toEqual(["dropped", "dropped"]);
    redis.thaw();
  });

  it("frees the port at once", async () => {
    const first = await startUpstashLocal({ port: 0, token: "local" });
    await send(first.url, "/ping");
    await first.close();
    const second = await startUpstashLocal({ port: first.port, token: "local" });
    expect((await send(second.url, "/ping")).json).toEqual({ result: "PONG" });
    await second.close();
  });

  it("keeps connections between requests", async () => {
    const server = await startUpstashLocal({ port: 0, token: "local" });
    const answer = await fetch(`${server.url}/ping`, { headers: { authorization: "Bearer local" } });
    expect(answer.headers.get("connection")).toBe("keep-alive");
    await answer.text();
    await server.close();
  });
});
