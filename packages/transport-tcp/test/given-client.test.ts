import { expectRejection } from "@continuum-cache/conformance";
import { closing, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { isConfigError } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-5";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);
const refusal = (client: unknown): string => {
  try {
    void tcpTransport({ client: client as Redis }).close();
  } catch (error) {
    expect(isConfigError(error) && error.setting).toBe("client");
    return (error as Error).message;
  }
  throw new Error("expected the client to be refused");
};
const unconnected = (options: Pick<RedisOptions, "keyPrefix" | "monitor" | "readOnly" | "stringNumbers"> = {}): Redis =>
  new Redis({ lazyConnect: true, ...options });

describe("a client that the transport can't share is refused before anything is sent", () => {
  it.each([
    [
      "a Cluster",
      () => new Cluster([{ host: "127.0.0.1", port: 1 }], { lazyConnect: true }),
      /Cluster is not supported/,
    ],
    ["a Cluster of ioredis 5", () => new Cluster5([{ host: "127.0.0.1", port: 1 }], { lazyConnect: true }), /Cluster/],
    ["what looks like a Cluster of another copy", () => ({ isCluster: true }), /Cluster/],
    ["a pipeline", () => unconnected().pipeline(), /got a pipeline/],
    ["a transaction", () => unconnected().multi(), /got a pipeline/],
    ["a monitor", () => unconnected({ monitor: true }), /got a monitor/],
    ["a prefix", () => unconnected({ keyPrefix: "app:" }), /without `keyPrefix`.*Cache as its `keyPrefix`/],
    ["numbers as texts", () => unconnected({ stringNumbers: true }), /stringNumbers/],
    ["shapes of RESP3", () => new Redis({ lazyConnect: true, replyMapping: "resp3" }), /replyMapping/],
    ["a reader of replicas", () => unconnected({ readOnly: true }), /readOnly/],
    ["a client of another library", () => ({ connect() {}, sendCommand() {}, isOpen: false }), /another object/],
    ["a class", () => Redis, /got a function/],
    ["a url", () => "redis://localhost", /got a string/],
    ["nothing", () => null, /got null/],
  ])("%s", (_, make, message) => {
    const client = make();
    expect(refusal(client)).toMatch(message);
    if (client instanceof Cluster || client instanceof Cluster5) client.disconnect();
  });

  it("one that listens to channels", async () => {
    const server = opened(await startRedisServer());
    for (const make of [() => new Redis(server.url, { protocol: 2 }), () => new Redis5(server.url)]) {
      const client = make();
      await client.subscribe("news");
      expect(refusal(client)).toMatch(/listens to channels.*duplicate\(\)/);
      client.disconnect();
    }
  });

  it.each(["poolSize", "tls", "allowInsecure"] as const)("the option %s beside it, which would not apply", (name) => {
    const options = { poolSize: 2, tls: {}, allowInsecure: true };
    expect(() => tcpTransport({ client: unconnected(), [name]: options[name] })).toThrow(`no \`${name}\` beside`);
  });
});

describe.each([
  ["ioredis 5", (url: string, options: object) => new Redis5(url, options)],
  ["ioredis 6", (url: string, options: object) => new Redis(url, options)],
])("a client of %s that is as a caller made it", (_, make) => {
  const open = async (options: object = {}) => {
    const server = opened(await startRedisServer());
    const proxy = opened(await startFaultProxy({ port: server.port }));
    const client = make(`redis://127.0.0.1:${proxy.port}`, { retryStrategy: () => 20, ...options });
    client.on("error", () => {});
    opened({ close: async () => client.disconnect() });
    return { server, proxy, client, transport: opened(tcpTransport({ client })) };
  };

  it("serves commands, transactions and subscriptions, with enableAutoPipelining too", async () => {
    const { client, transport } = await open({ enableAutoPipelining: true });
    const own = [client.incr("n"), client.set("own", "x")];
    const trips = [
      transport.send([["INCR", "n"]]),
      transport.send(
        [
          ["INCR", "n"],
          ["GET", "own"],
        ],
        { atomic: true },
      ),
    ];
    const [counts, [single], [both, seen]] = [
      await Promise.all(own),
      ...((await Promise.all(trips)) as [[number], [number, string]]),
    ];
    expect([counts[0], single, both].sort()).toEqual([1, 2, 3]);
    expect([null, "x"]).toContain(seen);
    const heard: unknown[] = [];
    await transport.subscribe({ channels: ["c"] }, { message: ({ data }) => heard.push(data), interrupted() {} });
    await transport.send([["PUBLISH", "c", "hello"]]);
    await expect.poll(() => heard).toEqual(["hello"]);
  });

  it("never sends a command of the transport twice when its connection breaks", async () => {
    const { server, proxy, client, transport } = await open();
    await transport.send([["PING"]]);
    proxy.set({ kind: "half-open", lost: "replies" });
    const trip = expectRejection(transport.send([["INCR", "n"]]), "unreachable");
    const transaction = expectRejection(transport.send([["INCR", "n"]], { atomic: true }), "unreachable");
    await expect.poll(() => server.command("GET", "n")).toBe("2");
    proxy.set({ kind: "pass" });
    proxy.cut();
    expect((await trip).delivery).toBe("unknown");
    expect((await transaction).delivery).toBe("unknown");
    expect(await client.ping()).toBe("PONG");
    expect(await server.command("GET", "n")).toBe("2");
  });

  it("never sends a command of the transport twice although `reconnectOnError` asks for it", async () => {
    const { server, client, transport } = await open({ reconnectOnError: () => 2 });
    await server.command("SET", "text", "x");
    await expectRejection(
      transport.send([
        ["INCR", "text"],
        ["INCR", "n"],
      ]),
      "unreachable",
    );
    await expectRejection(transport.send([["INCR"], ["SET", "m", 1]], { atomic: true }), "unreachable");
    expect(await server.command("EXISTS", "m")).toBe(0);
    expect(await client.ping()).toBe("PONG");
    expect(await transport.send([["PING"]])).toEqual(["PONG"]);
    expect(Number(await server.command("GET", "n"))).toBeLessThanOrEqual(1);
  });

  it("tells its own time limit as a timeout", async () => {
    const { server, client, transport } = await open();
    await transport.send([["PING"]]);
    server.freeze();
    // Not before: the server might not answer the client's own commands in time.
    client.options.commandTimeout = 50;
    const error = await expectRejection(transport.send([["INCR", "n"]]), "timeout");
    expect(error.message).toContain("commandTimeout");
    server.thaw();
  });

  it("rejects, with nothing sent, while it listens to channels", async () => {
    const { server, client, transport } = await open({ protocol: 2 });
    await transport.send([["PING"]]);
    await client.subscribe("news");
    const error = await expectRejection(transport.send([["SET", "a", 1]]), "protocol");
    expect(error.delivery).toBe("none");
    await client.unsubscribe("news");
    expect(await transport.send([["GET", "a"]])).toEqual([null]);
    expect(await server.command("EXISTS", "a")).toBe(0);
  });
});
