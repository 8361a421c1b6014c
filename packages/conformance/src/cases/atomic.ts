import { isCommandError } from "@continuum-cache/core";
import { anyError, errorWith, expectReply, show } from "../expect/expect-reply.ts";
import { exchange, one, type TransportCase } from "./transport-case.ts";

const atomic = { atomic: true };

/** Atomic trips run all of their commands or none, in order, with no other command in between. */
export const atomicCases: readonly TransportCase[] = [
  exchange(
    "an atomic trip answers every command in order",
    (key) => [
      [["SET", key("a"), "1"], "OK"],
      [["INCR", key("a")], 2],
      [["GET", key("a")], "2"],
      [["GET", key("none")], null],
      [["RPUSH", key("l"), "x", "y"], 2],
      [
        ["LRANGE", key("l"), 0, -1],
        ["x", "y"],
      ],
    ],
    undefined,
    atomic,
  ),
  exchange(
    "a command that fails inside an atomic trip leaves the others applied",
    (key) => [
      [["SET", key("s"), "text"], "OK"],
      [["INCR", key("s")], errorWith("ERR", /not an integer/)],
      [["LPUSH", key("s"), "x"], errorWith("WRONGTYPE")],
      [["SET", key("t"), "after"], "OK"],
      [
        ["MGET", key("s"), key("t")],
        ["text", "after"],
      ],
    ],
    undefined,
    atomic,
  ),
  ...[
    { what: "an unknown command", bad: ["NO-SUCH-COMMAND", "x"] as const },
    { what: "a wrong number of arguments", bad: ["GET"] as const },
  ].map(
    ({ what, bad }): TransportCase => ({
      title: `${what} discards an atomic trip: every reply is an error and nothing is applied`,
      async run(transport, key) {
        const trip = transport.send([["SET", key("a"), "1"], bad, ["SET", key("b"), "1"]], atomic);
        expectReply(await trip, [anyError, anyError, anyError]);
        expectReply(await one(transport, "EXISTS", key("a"), key("b")), 0);
        expectReply(await transport.send([["SET", key("a"), "2"]], atomic), ["OK"]);
      },
    }),
  ),
  {
    title: "atomic trips that are under way at once never mix",
    async run(transport, key) {
      const letters = "abcdefghijklmnopqrst".split("");
      const trips = letters.flatMap((letter) => [
        transport.send(
          Array.from({ length: 5 }, () => ["APPEND", key("log"), letter] as const),
          atomic,
        ),
        transport.send([["APPEND", key("log"), "-"]]),
      ]);
      const replies = await Promise.all(trips);
      const log = String(await one(transport, "GET", key("log")));
      const expected = letters.map((letter) => letter.repeat(5)).sort();
      expectReply(
        log
          .replaceAll("-", "")
          .match(/(.)\1*/g)
          ?.sort() ?? [],
        expected,
      );
      if (!letters.every((letter) => log.includes(letter.repeat(5))))
        throw new Error(`expected whole runs in ${show(log)}`);
      if (replies.flat().some(isCommandError)) throw new Error(`expected no error in ${show(replies.flat())}`);
    },
  },
  {
    title: "a large atomic trip is applied as a whole",
    async run(transport, key) {
      const trip = Array.from({ length: 500 }, () => ["INCR", key("n")] as const);
      expectReply(
        await transport.send(trip, atomic),
        trip.map((_, index) => index + 1),
      );
    },
  },
];
