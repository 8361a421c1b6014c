import { inspect } from "node:util";
import { expectRejection } from "@continuum-cache/conformance";
import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import { isConfigError } from "@continuum-cache/core";
import { type TcpOptions, tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);
const canary = "canary-7c1e";
const refusal = (options: TcpOptions): Error & { setting?: string } => {
  try {
    void tcpTransport(options).close();
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected the options to be refused");
};

describe("tcpTransport's options", () => {
  it.each([
    ["nothing", {}, "url", /got none/],
    ["an empty url", { url: "" }, "url", /got none/],
    ["no url at all", { url: `not a url ${canary}` }, "url", /no URL/],
    ["a broken port", { url: `redis://:${canary}@localhost:port` }, "url", /no URL/],
    ["the REST address", { url: "https://eu1.upstash.io" }, "url", /restTransport/],
    ["another scheme", { url: `mysql://:${canary}@localhost` }, "url", /got "mysql:"/],
    ["no host", { url: "redis:///0" }, "url", /no host/],
    ["a path that is no database", { url: `redis://:${canary}@localhost/zero` }, "url", /number of a database/],
    ["a broken percent sign", { url: `redis://:${canary}%zz@localhost` }, "url", /percent-encoded/],
    ["plaintext to another host", { url: `redis://:${canary}@db.example.com` }, "url", /allowInsecure/],
    ["TLS settings for plaintext", { url: "redis://localhost", tls: {} }, "tls", /rediss:/],
    ["an empty pool", { url: "redis://localhost", poolSize: 0 }, "poolSize", /at least 1, got 0/],
    ["half a connection", { url: "redis://localhost", poolSize: 1.5 }, "poolSize", /whole number/],
    ["no time at all", { url: "redis://localhost", timeout: 0 }, "timeout", /positive/],
    ["time that is none", { url: "redis://localhost", timeout: "soon" as never }, "timeout", /"5m"/],
  ] as const)("refuse %s", (_, options, setting, text) => {
    const error = refusal(options);
    expect(isConfigError(error)).toBe(true);
    expect(error.setting).toBe(setting);
    expect(error.message).toMatch(text);
    expect(inspect(error, { depth: 10 })).not.toContain(canary);
  });

  it("refuse a url beside a client", async () => {
    const client = new Redis({ lazyConnect: true });
    expect(refusal({ url: "redis://localhost", client }).setting).toBe("client");
    client.disconnect();
  });

  it.each([
    "redis://localhost",
    "redis://127.8.0.1:7000",
    "redis://[::1]:6379",
    "redis://user:p%40ss@localhost/15",
    " rediss://default:pw@eu1.upstash.io:6379 ",
  ])("accept %s without connecting", async (url) => {
    const transport = opened(tcpTransport({ url }));
    expect(transport.client.status).toBe("wait");
  });

  it("accept plaintext to another host where it is allowed", () => {
    opened(tcpTransport({ url: "redis://db.example.com", allowInsecure: true }));
  });
});

describe("a login that fails", () => {
  it("rejects with kind unauthorized, and the password is in no part of the error", async () => {
    const server = opened(
      await startRedisServer({ password: "right", users: [`app on >${canary}-right ~* &* +@all`] }),
    );
    for (const login of [`:${canary}`, `app:${canary}`, `${canary}:${canary}`]) {
      const transport = opened(tcpTransport({ url: `redis://${login}@127.0.0.1:${server.port}` }));
      for (const call of [
        () => transport.send([["SET", "a", canary]]),
        () => transport.send([["PING"]], { atomic: true }),
        () => transport.subscribe({ channels: ["c"] }, { message() {}, interrupted() {} }),
      ]) {
        const error = await expectRejection(call(), "unauthorized");
        expect(error.message).toMatch(/WRONGPASS.*UPSTASH_REDIS_URL/s);
        expect(error.delivery).toBe("none");
        expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(canary);
      }
    }
  });

  it("rejects with kind unauthorized without any password", async () => {
    const server = opened(await startRedisServer({ password: "right" }));
    const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${server.port}` }));
    const error = await expectRejection(
      transport.send([
        ["GET", "a"],
        ["GET", "b"],
      ]),
      "unauthorized",
    );
    expect(error.message).toMatch(/^NOAUTH/);
  });

  it("rejects rather than use another database than the one that was asked for", async () => {
    const server = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: `${server.url}/99` }));
    const error = await expectRejection(transport.send([["SET", "a", 1]]), "protocol");
    expect(error.message).toMatch(/DB index is out of range.*database number/);
    expect(await server.command("DBSIZE")).toBe(0);
  });

  it("tells a user who may not listen to a channel", async () => {
    const server = opened(await startRedisServer({ users: ["app on >pw ~* &app:* +@all"] }));
    const transport = opened(tcpTransport({ url: `redis://app:pw@127.0.0.1:${server.port}` }));
    const listener = { message() {}, interrupted() {} };
    await expectRejection(transport.subscribe({ channels: ["other"] }, listener), "unauthorized");
    await (await transport.subscribe({ channels: ["app:news"], patterns: ["app:*"] }, listener)).close();
  });

  it("says what is wrong with TLS", async () => {
    const secure = opened(await startRedisServer({ tls: true }));
    const plain = opened(await startRedisServer());
    const untrusted = opened(tcpTransport({ url: secure.url }));
    expect((await expectRejection(untrusted.send([["PING"]]), "unreachable")).message).toMatch(
      /certificate.*`tls: \{ ca \}`/,
    );
    const missing = opened(tcpTransport({ url: `redis://127.0.0.1:${secure.port}` }));
    expect((await expectRejection(missing.send([["PING"]]), "unreachable")).message).toMatch(/use rediss:/);
    const surplus = opened(tcpTransport({ url: `rediss://127.0.0.1:${plain.port}` }));
    // Redis waits for the rest of what it takes for a command.
    const error = await expectRejection(surplus.send([["PING"]], { timeoutMs: 200 }), "timeout");
    expect(error.message).toMatch(/without TLS, use redis:/);
  });

  it("names a host that does not exist", async () => {
    const transport = opened(tcpTransport({ url: "rediss://no-such-host.invalid:6379" }));
    const error = await expectRejection(transport.send([["PING"]]), "unreachable");
    expect(error.message).toMatch(/no-such-host\.invalid:6379 was not found/);
    expect(error.delivery).toBe("none");
  });
});
