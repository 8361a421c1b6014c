import { expectRejection } from "@continuum-cache/conformance";
import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Command, TransportError } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { startFakeServer } from "./fake-server.ts";

const opened = closing(afterEach);
const text = (value: string): string => `$${value.length}\r\n${value}\r\n`;

/** A server whose first connection answers so, and whose later ones are all right. */
const firstAnswers = async (bad: string | Buffer) => {
  const server = opened(
    await startFakeServer((command, connection) => {
      if (command === "ECHO right") return text("right");
      return connection === 1 ? bad : undefined;
    }),
  );
  return { server, transport: opened(tcpTransport({ url: server.url })) };
};

describe("a reply that its command can't have", () => {
  it.each<[Command, string]>([
    [["DEL", "a"], text("alice's")],
    [["INCR", "n"], "+OK\r\n"],
    [["MGET", "a", "b"], `*1\r\n${text("x")}`],
    [["MGET", "a", "b"], `*3\r\n${text("x")}${text("y")}${text("z")}`],
    [["SET", "a", 1], ":1\r\n"],
    [["GET", "a"], ":1\r\n"],
    [["GET", "a"], "*0\r\n"],
    [["SCAN", 0], `*1\r\n${text("0")}`],
    [["HGETALL", "h"], `*1\r\n${text("f")}`],
    // Another program's MULTI is open on this connection.
    [["GET", "a"], "+QUEUED\r\n"],
  ])("to %j closes the connection, and the next call has a new one", async (command, bad) => {
    const { server, transport } = await firstAnswers(bad);
    const error = await expectRejection(transport.send([command]), "protocol");
    expect(error.delivery).toBe("unknown");
    expect(error.message).toContain(`a reply to ${command[0]} that it can't have`);
    expect(error.message).not.toContain("alice");
    expect(await transport.send([["ECHO", "right"]])).toEqual(["right"]);
    expect(server.connections).toBe(2);
  });

  it.each([
    ["too few results of EXEC", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*1\r\n:1\r\n"],
    ["a result of EXEC of another command", `+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n${text("x")}`],
    ["no results of EXEC", "+OK\r\n+QUEUED\r\n+QUEUED\r\n:2\r\n"],
    ["a command that was not queued", "+OK\r\n+QUEUED\r\n:1\r\n*2\r\n:1\r\n:2\r\n"],
    ["no transaction", "+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n"],
  ])("in a transaction does so too: %s", async (_, bad) => {
    let whole = bad;
    const server = opened(
      await startFakeServer((command, connection) => {
        if (command === "ECHO right") return text("right");
        const reply = connection === 1 ? whole : undefined;
        whole = "";
        return reply;
      }),
    );
    const transport = opened(tcpTransport({ url: server.url }));
    const error = await expectRejection(
      transport.send(
        [
          ["INCR", "a"],
          ["INCR", "b"],
        ],
        { atomic: true },
      ),
      "protocol",
    );
    expect(error.delivery).toBe("unknown");
    expect(await transport.send([["ECHO", "right"]])).toEqual(["right"]);
  });

  it("fails everything that is in flight: what came after it in the same chunk is given to no call", async () => {
    let replies = "";
    const server = opened(
      await startFakeServer((command, connection, socket) => {
        if (connection > 1) return text("right");
        replies += command === "DEL x" ? text("shifted") : text("another's value");
        if (command === "GET c") socket.write(replies);
        return undefined;
      }),
    );
    const transport = opened(tcpTransport({ url: server.url }));
    const [first, ...others] = [
      ["DEL", "x"] as const,
      ["GET", "a"] as const,
      ["GET", "b"] as const,
      ["GET", "c"] as const,
    ].map((command) => transport.send([command]));
    const later = others.map((trip) => expectRejection(trip, "unreachable"));
    expect((await expectRejection(first as Promise<unknown>, "protocol")).delivery).toBe("unknown");
    for (const error of await Promise.all(later)) expect(error.delivery).toBe("unknown");
    expect(await transport.send([["GET", "a"]])).toEqual(["right"]);
  });

  it("closes the connection when it belongs to no command", async () => {
    const { server, transport } = await firstAnswers(`${text("x")}${text("a stored value")}`);
    expect(await transport.send([["GET", "a"]])).toEqual(["x"]);
    // The second reply came with the first. Whatever is sent now must not get it.
    expect(await transport.send([["ECHO", "right"]])).toEqual(["right"]);
    expect(server.connections).toBe(2);
  });

  it("may come late, after its caller has given up, and closes the connection all the same", async () => {
    const server = opened(
      await startFakeServer((command, connection) => {
        // The first connection owes a reply to INCR, and brings it now.
        if (command === "ECHO right") return text(connection === 1 ? "late" : "right");
        return undefined;
      }),
    );
    const transport = opened(tcpTransport({ url: server.url }));
    const caller = new AbortController();
    const increment = expectRejection(transport.send([["INCR", "n"]], { signal: caller.signal }), "aborted");
    await expect.poll(() => server.commands).toEqual(["INCR n"]);
    caller.abort();
    await increment;
    const echo = transport.send([["ECHO", "right"]]);
    expect((await expectRejection(echo, "unreachable")).delivery).toBe("unknown");
    expect(await transport.send([["ECHO", "right"]])).toEqual(["right"]);
  });
});

describe("a reply that claims more than it can hold", () => {
  const hostile: readonly (readonly [string, string | Buffer])[] = [
    ["arrays nested 100,000 deep", "*1\r\n".repeat(100_000)],
    ["arrays nested 129 deep, a few bytes at a time", `${"*1\r\n".repeat(129)}:1\r\n`],
    ["an array of 4 billion", "*4294967295\r\n"],
    ["an array of 10 million", "*10000000\r\n"],
    ["many arrays of a million each", `*64\r\n${"*1000000\r\n".repeat(20)}`],
    ["a map of 5 million", "%5000000\r\n"],
    ["a text of a terabyte", "$1099511627776\r\n"],
    ["a length that is none", "$1x\r\n"],
    ["a length of 30 digits", `$${"9".repeat(30)}\r\n`],
    ["a negative length", "*-2\r\n"],
    ["a text longer than it claims", "$1\r\nabc\r\n"],
    ["a line without end", `+${"x".repeat(1_100_000)}`],
    ["an unknown type", "@1\r\n"],
    ["an answer of HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["a carriage return alone", "+a\rb\r\n"],
  ];

  it.each(hostile)("closes the connection: %s", async (_, bad) => {
    const { server, transport } = await firstAnswers(bad);
    const listener = { message() {}, interrupted() {} };
    const error = await expectRejection(transport.send([["GET", "a"]]), "protocol");
    expect(error.delivery).toBe("unknown");
    expect(await transport.send([["ECHO", "right"]])).toEqual(["right"]);
    expect(server.connections).toBe(2);

    const listening = opened(tcpTransport({ url: opened(await startFakeServer(() => bad)).url }));
    await expectRejection(listening.subscribe({ channels: ["c"] }, listener), "protocol");
  });

  it("interrupts a subscription", async () => {
    const server = opened(
      await startFakeServer((_, __, socket) => {
        setTimeout(() => socket.write("*1\r\n".repeat(1_000)), 20);
        return `*3\r\n${text("subscribe")}${text("c")}:1\r\n`;
      }),
    );
    const transport = opened(tcpTransport({ url: server.url }));
    const interruptions: TransportError[] = [];
    await transport.subscribe({ channels: ["c"] }, { message() {}, interrupted: (error) => interruptions.push(error) });
    await expect.poll(() => interruptions).toMatchObject([{ kind: "protocol", delivery: "unknown" }]);
  });

  it("is kept from the parser of a caller's client too", async () => {
    const server = opened(
      await startFakeServer((command, connection) =>
        command === "GET a" ? (connection === 1 ? "*1\r\n".repeat(100_000) : text("right")) : "+OK\r\n",
      ),
    );
    const client = new Redis(server.url, { protocol: 2, enableReadyCheck: false, disableClientInfo: true });
    client.on("error", () => {});
    opened({ close: async () => client.disconnect() });
    const transport = opened(tcpTransport({ client }));
    await expectRejection(transport.send([["GET", "a"]]), "protocol");
    expect(await transport.send([["GET", "a"]])).toEqual(["right"]);
  });
});

describe("a transaction of the caller on the client that it shares", () => {
  it("makes the call reject instead of giving it QUEUED, and does not run it", async () => {
    const server = opened(await startRedisServer());
    const client = new Redis(server.url);
    client.on("error", () => {});
    opened({ close: async () => client.disconnect() });
    const transport = opened(tcpTransport({ client }));
    await client.multi({ pipeline: false });
    await expectRejection(transport.send([["GET", "a"]]), "protocol");
    await client.multi({ pipeline: false });
    await expectRejection(transport.send([["SET", "a", 1]]), "protocol");
    expect(await transport.send([["GET", "a"]])).toEqual([null]);
    // A value that reads the same is none.
    expect(
      await transport.send([
        ["SET", "state", "QUEUED"],
        ["GET", "state"],
      ]),
    ).toEqual(["OK", "QUEUED"]);
  });
});
