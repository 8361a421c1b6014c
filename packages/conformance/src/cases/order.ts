import { expectReply } from "../expect/expect-reply.ts";
import type { TransportCase } from "./transport-case.ts";

const nextTask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Trips on the same key take effect in the order in which they were sent. */
export const orderCases: readonly TransportCase[] = [
  {
    title: "unawaited writes and reads of one key happen in program order",
    async run(transport, key) {
      const trips = Array.from({ length: 50 }, (_, index) => [
        transport.send([["SET", key("k"), index]]),
        transport.send([["GET", key("k")]]),
      ]).flat();
      const replies = await Promise.all(trips);
      expectReply(replies, Array.from({ length: 50 }, (_, index) => [["OK"], [String(index)]]).flat());
    },
  },
  {
    title: "the order holds over several ticks",
    async run(transport, key) {
      const trips: Promise<unknown>[] = [];
      for (let round = 0; round < 10; round++) {
        trips.push(transport.send([["APPEND", key("log"), `${round}a`]]));
        await Promise.resolve();
        trips.push(transport.send([["APPEND", key("log"), `${round}b`]]));
        await nextTask();
      }
      await Promise.all(trips);
      const expected = Array.from({ length: 10 }, (_, round) => `${round}a${round}b`).join("");
      expectReply(await transport.send([["GET", key("log")]]), [expected]);
    },
  },
  {
    title: "the order holds when large and small trips are under way at once",
    async run(transport, key) {
      const filler = "x".repeat(300_000);
      const trips: Promise<unknown>[] = [];
      for (let round = 0; round < 8; round++) {
        trips.push(transport.send([["SET", key(`big${round}`), filler, "EX", 60]]));
        trips.push(transport.send([["RPUSH", key("l"), `${round}-first`]]));
        trips.push(transport.send([["MSET", key("k"), round, key("other"), filler]]));
        trips.push(transport.send([["RPUSH", key("l"), `${round}-second`]]));
        trips.push(transport.send([["GET", key("k")]]).then((reply) => expectReply(reply, [String(round)])));
      }
      await Promise.all(trips);
      const expected = Array.from({ length: 8 }, (_, round) => [`${round}-first`, `${round}-second`]).flat();
      expectReply(await transport.send([["LRANGE", key("l"), 0, -1]]), [expected]);
      await transport.send([["DEL", key("other"), ...expected.map((_, index) => key(`big${index}`))]]);
    },
  },
  {
    title: "a thousand trips at once each get their own answers",
    async run(transport, key) {
      const replies = await Promise.all(
        Array.from({ length: 1_000 }, (_, index) =>
          transport.send(
            [
              ["ECHO", `e${index}`],
              ["STRLEN", key("none")],
              ["ECHO", index],
            ],
            { timeoutMs: 120_000 },
          ),
        ),
      );
      expectReply(
        replies,
        replies.map((_, index) => [`e${index}`, 0, String(index)]),
      );
    },
  },
];
