import { tracingChannel } from "node:diagnostics_channel";
import { expectRejection } from "@continuum-cache/conformance";
import { closing } from "@continuum-cache/conformance/servers";
import { isCommandError, isTransportError } from "@continuum-cache/core";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { Redis } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { afterEach, describe, expect, it } from "vitest";
import { openDirect } from "./direct-connection.ts";

const opened = closing(afterEach);
const open = (Client: typeof Redis) => openDirect(opened, Client);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Repeatable numbers below `bound`. */
const randomFrom = (seed: number) => (bound: number) => {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return (seed >> 8) % bound;
};

const versions = { "ioredis 5": Redis5 as unknown as typeof Redis, "ioredis 6": Redis };

describe.each(Object.entries(versions))("trips that are written past %s", (_, Client) => {
  it("are no commands of the client, and their replies are what Redis holds", async () => {
    const { send, sentByClient } = await open(Client);
    const before = sentByClient();
    const bytes = new Uint8Array([0xff, 0, 0x0d, 0x0a]);
    const long = "é".repeat(20_000);
    expect(
      await send([
        ["SET", "text", "héllo\r\n"],
        ["set", "bytes", bytes],
        ["SET", "long", long],
        ["SET", "ascii", "x".repeat(40_000), "EX", 60],
        ["MGET", "text", "bytes", "long", "none"],
        ["STRLEN", "ascii"],
        ["LPUSH", "text", "x"],
        ["Écho", "x"],
        ["EVAL", "return {1, {'a', {ok='fine'}, {err='ERR inner'}}, false}", 0],
        ["ECHO", "\ud800"],
      ]).then((replies) => replies.map((reply) => (isCommandError(reply) ? reply.code : reply))),
    ).toEqual([
      ...["OK", "OK", "OK", "OK", ["héllo\r\n", bytes, long, null], 40_000, "WRONGTYPE", "ERR"],
      ...[[1, ["a", "fine", expect.objectContaining({ code: "ERR" })], null], "\ufffd"],
    ]);
    expect(sentByClient()).toBe(before);
  });

  it("send the bytes that an argument had when it was given", async () => {
    const { send } = await open(Client);
    const bytes = new Uint8Array([1, 2, 3]);
    const sent = send([["SET", "a", bytes]]);
    bytes.fill(9);
    await sent;
    expect(await send([["GET", "a"]])).toEqual(["\u0001\u0002\u0003"]);
  });

  it.each([0, 1, 2, 3].map((nth) => testSeed + nth))(
    "and commands of the client get their own replies, in any order (history %i)",
    async (seed) => {
      const { client, send, proxy, sentByClient } = await open(Client);
      const random = randomFrom(seed);
      const outcomes: Promise<unknown>[] = [];
      const check = (found: Promise<unknown>, expected: unknown): void => {
        outcomes.push(found.then((reply) => expect(reply).toEqual(expected)));
      };
      // One counter each: a trip may wait until an idle connection is known to stand, the client's commands do not.
      let n = 0;
      let m = 0;
      let byClient = sentByClient();
      const big = "b".repeat(100_000);
      await send([
        ["SET", "big", big],
        ["SET", "s", "text"],
      ]);
      const acts: readonly (() => void)[] = [
        () => check(send([["INCR", "n"]]), [++n]),
        () =>
          check(
            send(
              [
                ["INCR", "n"],
                ["GET", "s"],
                ["INCR", "n"],
              ],
              true,
            ),
            [++n, "text", ++n],
          ),
        () => check(send([["GET", "big"]]), [big]),
        () => check(send([["ECHO", new Uint8Array([0xff])]]), [new Uint8Array([0xff])]),
        () => {
          const [x, y, ...failed] = [++n, ++n];
          check(
            send([["INCR", "n"], ["LPUSH", "s", "x"], ["INCR", "n"], ...failed]).then((replies) =>
              replies.map((reply) => (isCommandError(reply) ? "error" : reply)),
            ),
            [x, "error", y],
          );
        },
        () => {
          byClient += 1;
          check(client.incr("m"), ++m);
        },
        () => {
          byClient += 1;
          check(client.get("big"), big);
        },
        () => {
          byClient += 1;
          check(
            client.lpush("s", "x").catch(() => "error"),
            "error",
          );
        },
        () => {
          byClient += 3;
          check(client.pipeline().incr("m").get("s").incr("m").exec(), [
            [null, ++m],
            [null, "text"],
            [null, ++m],
          ]);
        },
        () => {
          byClient += 4;
          check(client.multi().incr("m").incr("m").exec(), [
            [null, ++m],
            [null, ++m],
          ]);
        },
      ];
      for (let step = 0; step < scaled(1_000, 100); step++) {
        (acts[random(acts.length)] as () => void)();
        if (random(10) === 0) await turn();
        // Now and then nothing is on its way.
        if (random(200) === 0) await Promise.all(outcomes);
      }
      await Promise.all(outcomes);
      expect(sentByClient()).toBe(byClient);
      expect(proxy.seen.connections).toBe(1);
    },
  );

  it("get no reply of another command while the client subscribes and unsubscribes", async () => {
    const { client, send, server, proxy } = await open(Client);
    const random = randomFrom(testSeed);
    const heard: string[] = [];
    client.on("message", (_channel: string, text: string) => void heard.push(text));
    const outcomes: Promise<unknown>[] = [];
    const kinds = { answered: 0, refused: 0 };
    let published = 0;
    const echo = (word: string): void => {
      outcomes.push(
        send([["ECHO", word]]).then(
          ([reply]) => {
            if (reply === word) kinds.answered++;
            else expect(isCommandError(reply) && reply.message).toMatch(/context/);
          },
          (error) => {
            expect(isTransportError(error) && [error.kind, error.delivery]).toEqual(["protocol", "none"]);
            kinds.refused++;
          },
        ),
      );
    };
    const byClient = (word: string): void => {
      outcomes.push(
        client.echo(word).then(
          (reply) => expect(reply).toBe(word),
          (error) => expect(error.message).toMatch(/subscriber mode|context/),
        ),
      );
    };
    for (let round = 0; round < 30; round++) {
      for (let at = random(4); at > 0; at--) echo(`before ${round} ${at}`);
      const listening = client.subscribe("a", "b");
      for (let at = random(4); at > 0; at--) (random(2) ? echo : byClient)(`between ${round} ${at}`);
      const message = server.command("PUBLISH", "a", String(round));
      await Promise.all([listening, message]);
      published++;
      await server.command("PUBLISH", "b", String(++published));
      echo(`while ${round}`);
      const ending = client.unsubscribe("a", "b");
      echo(`after ${round}`);
      await ending;
      for (let at = random(4); at > 0; at--) echo(`free ${round} ${at}`);
      byClient(`free ${round}`);
      await Promise.all(outcomes);
    }
    expect(kinds.answered).toBeGreaterThan(30);
    expect(kinds.refused).toBeGreaterThan(30);
    expect(heard.length).toBeGreaterThanOrEqual(30);
    expect(proxy.seen.connections).toBe(1);
  });

  it("do not run inside a transaction that the client has begun, and reject", async () => {
    const { client, send } = await open(Client);
    await client.multi({ pipeline: false });
    const [first, second] = [send([["SET", "a", 1]]), send([["GET", "a"]])];
    await expectRejection(first, "protocol");
    await expectRejection(second, "unreachable");
    expect(await send([["GET", "a"]])).toEqual([null]);
  });

  it("fail once with the connection's last error, and the next connection has none of their replies", async () => {
    const { send, client, proxy, server } = await open(Client);
    proxy.set({ kind: "half-open", lost: "replies" });
    const settled: string[] = [];
    const trips = [
      send([["INCR", "n"]]),
      send(
        [
          ["INCR", "n"],
          ["INCR", "n"],
        ],
        true,
      ),
    ].map((trip) =>
      trip.then(
        () => settled.push("answered"),
        (error) => settled.push(`${error.kind} ${error.delivery}`),
      ),
    );
    const own = client.incr("n").catch(() => settled.push("own"));
    await expect.poll(() => server.command("GET", "n")).toBe("4");
    proxy.set({ kind: "pass" });
    proxy.cut();
    await Promise.all([...trips, own]);
    expect(settled.sort()).toEqual(["own", "unreachable unknown", "unreachable unknown"]);
    expect(await Promise.all([send([["ECHO", "new"]]), client.echo("own"), send([["INCR", "n"]])])).toEqual([
      ["new"],
      "own",
      [5],
    ]);
  });

  it("go through the client where its queue is another one, and where commands are traced", async () => {
    const { client, send, sentByClient } = await open(Client);
    const before = sentByClient();
    const channel = tracingChannel("ioredis:command");
    const handlers = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} };
    channel.subscribe(handlers);
    const traced = send([["ECHO", "traced"]]);
    channel.unsubscribe(handlers);
    expect(await Promise.all([traced, send([["ECHO", "direct"]])])).toEqual([["traced"], ["direct"]]);
    expect(sentByClient()).toBe(before + 1);
    Object.defineProperty(client.commandQueue, "peekBack", { value: undefined });
    expect(await send([["ECHO", "through"]])).toEqual(["through"]);
    expect(sentByClient()).toBe(before + 2);
  });
});
