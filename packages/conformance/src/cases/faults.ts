import type { Transport } from "@continuum-cache/core";
import { expectRejection, within } from "../expect/expect-rejection.ts";
import { expectReply } from "../expect/expect-reply.ts";
import { type KeyMaker, one } from "./transport-case.ts";

/** Makes the server behind a transport stop answering, and go on: such as `freeze` and `thaw` of a `RedisServer`. */
export interface Stall {
  stall(): void | Promise<void>;
  resume(): void | Promise<void>;
}

/** A promise about a server that hangs. */
export interface FaultCase {
  readonly title: string;
  /** Called with a server that answers; whatever it stalls it resumes. */
  run(transport: Transport, key: KeyMaker, faults: Stall): Promise<void>;
}

async function whileStalled(faults: Stall, work: () => Promise<void>): Promise<void> {
  await faults.stall();
  try {
    await work();
  } finally {
    await faults.resume();
  }
}

/** How a transport behaves while the server hangs, and after it. */
export const faultCases: readonly FaultCase[] = [
  {
    title: "a call rejects with kind timeout when its time is over",
    async run(transport, _key, faults) {
      await transport.send([["PING"]]);
      await whileStalled(faults, async () => {
        await expectRejection(transport.send([["PING"]], { timeoutMs: 50 }), "timeout");
        await expectRejection(transport.send([["PING"]], { timeoutMs: 50, atomic: true }), "timeout");
      });
    },
  },
  {
    title: "every one of many calls settles by its own deadline",
    async run(transport, key, faults) {
      await transport.send([["PING"]]);
      await whileStalled(faults, async () => {
        const calls = Array.from({ length: 50 }, (_, index) =>
          transport.send([["GET", key("a")]], { timeoutMs: 20 + index * 4 }),
        );
        await within(10_000, Promise.all(calls.map((call) => expectRejection(call, "timeout"))));
      });
    },
  },
  {
    title: "a signal ends a call that waits",
    async run(transport, _key, faults) {
      await transport.send([["PING"]]);
      await whileStalled(faults, async () => {
        const controller = new AbortController();
        const call = transport.send([["PING"]], { signal: controller.signal, timeoutMs: 10_000 });
        setTimeout(() => controller.abort(), 20);
        await expectRejection(call, "aborted");
      });
    },
  },
  {
    title: "drops late answers: after a hang every call gets its own",
    async run(transport, key, faults) {
      await transport.send([["SET", key("a"), "right"]]);
      await whileStalled(faults, async () => {
        const calls = Array.from({ length: 5 }, (_, index) =>
          transport.send([["ECHO", `late ${index}`]], { timeoutMs: 60 }),
        );
        await Promise.all(calls.map((call) => expectRejection(call, "timeout")));
      });
      for (let index = 0; index < 5; index++) {
        expectReply(await one(transport, "ECHO", `fresh ${index}`), `fresh ${index}`);
        expectReply(await one(transport, "GET", key("a")), "right");
      }
    },
  },
];
