import { createHook } from "node:async_hooks";
import { tracingChannel } from "node:diagnostics_channel";
import { closing, startRedisServer } from "@continuum-cache/conformance/servers";
import { type Command, isCommandError } from "@continuum-cache/core";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { openDirect } from "./direct-connection.ts";
import { startFakeServer } from "./fake-server.ts";
import { promisedTrip } from "./promised-trip.ts";

const opened = closing(afterEach);
const open = (Client: typeof Redis, behind?: string) => openDirect(opened, Client, behind);

describe("a reply that is cut where it tells nothing yet", () => {
  it("is the client's when the client's command came first, and the next one the trip's", async () => {
    const parts = ["+", "O", "K\r", "\n$", "3\r\none", "\r", "\n:", "7\r", "\n"];
    const server = opened(
      await startFakeServer((command, __, socket) => {
        if (command === "PING") return "+PONG\r\n";
        if (command === "incr n") {
          const next = (): void => {
            const part = parts.shift();
            if (part !== undefined) socket.write(part, () => setTimeout(next, 5));
          };
          next();
        }
        return undefined;
      }),
    );
    const { client, send } = await open(Redis, server.url);
    const replies = await Promise.all([client.set("a", "x"), send([["GET", "a"]]), client.incr("n")]);
    expect(replies).toEqual(["OK", ["one"], 7]);
  });

  it("counts as answered as soon as the client has taken it", async () => {
    const server = opened(
      await startFakeServer((command, __, socket) => {
        if (command === "incr a") socket.write(":1\r");
        if (command === "GET own") socket.write("\n:2\r\n$3\r\nown\r\n");
        return command === "PING" ? "+PONG\r\n" : undefined;
      }),
    );
    const { client, send } = await open(Redis, server.url);
    const first = client.incr("a");
    const second = client.incr("b");
    // The parser of ioredis 6 waits for no line feed.
    await first;
    expect(await Promise.all([second, send([["GET", "own"]])])).toEqual([2, ["own"]]);
  });
});

describe("a trip that follows a command of the client", () => {
  it("gets no message that comes before its reply", async () => {
    const text = (word: string): string => `$${word.length}\r\n${word}\r\n`;
    const server = opened(
      await startFakeServer((command) => {
        if (command === "subscribe a") return `*3\r\n${text("subscribe")}${text("a")}:1\r\n`;
        if (command !== "ECHO x") return "+PONG\r\n";
        return `*3\r\n${text("message")}${text("a")}${text("hi")}-ERR Can't execute 'echo' in this context\r\n`;
      }),
    );
    const { client, send } = await open(Redis, server.url);
    const heard: string[] = [];
    client.on("message", (_, word: string) => void heard.push(word));
    const listening = client.subscribe("a");
    const [reply] = await send([["ECHO", "x"]]);
    expect([isCommandError(reply), heard, await listening]).toEqual([true, ["hi"], 1]);
  });

  it("may be sent while the client hands out another trip's reply", async () => {
    const { client, connection } = await open(Redis);
    const channel = tracingChannel("ioredis:command");
    const handlers = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} };
    const second = promisedTrip([["ECHO", "second"]]);
    const first = promisedTrip([["ECHO", "first"]], false, () => connection.send(second.trip));
    channel.subscribe(handlers);
    connection.send(first.trip);
    channel.unsubscribe(handlers);
    const own = client.echo("own");
    expect(await Promise.all([first.answered, own, second.answered])).toEqual([["first"], "own", ["second"]]);
  });
});

describe("a call on a connection that stands", () => {
  it("makes one promise, of the trip, and no command of ioredis", async () => {
    const { send } = await open(Redis);
    const commands: Command[] = [
      ["SET", "a", "value"],
      ["GET", "a"],
    ];
    await send(commands);
    const counts: number[] = [];
    for (let round = 0; round < 20; round++) {
      let promises = 0;
      const hook = createHook({
        init(_, type) {
          if (type === "PROMISE") promises++;
        },
      });
      const answered: Promise<unknown>[] = [];
      hook.enable();
      for (let call = 0; call < 100; call++) answered.push(send(commands));
      await new Promise<void>((resolve) => void (answered.at(-1) as Promise<unknown>).then(() => resolve()));
      hook.disable();
      counts.push(promises);
    }
    // One for each call, and those two with which this test waits. What else goes on in the process only adds to it.
    expect(Math.min(...counts)).toBeLessThanOrEqual(100 + 3);
  });

  it("through the transport makes no more", async () => {
    const server = opened(await startRedisServer());
    const transport = opened(tcpTransport({ url: server.url }));
    await transport.send([["PING"]]);
    let sent = 0;
    const { client } = transport;
    const sendCommand = client.sendCommand.bind(client);
    client.sendCommand = (...args) => {
      sent++;
      return sendCommand(...args);
    };
    expect(await Promise.all(Array.from({ length: 50 }, (_, at) => transport.send([["ECHO", at]])))).toHaveLength(50);
    expect(sent).toBe(0);
  });
});
