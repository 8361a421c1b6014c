import { expectRejection, within } from "../expect/expect-rejection.ts";
import { expectReply } from "../expect/expect-reply.ts";
import { one, type TransportCase } from "./transport-case.ts";

/** Ways to end a call before its answer. */
export const deadlineCases: readonly TransportCase[] = [
  {
    title: "a signal that has already fired rejects with kind aborted, and nothing is sent",
    async run(transport, key) {
      const signal = AbortSignal.abort(new Error("not any more"));
      const error = await expectRejection(transport.send([["SET", key("a"), 1]], { signal }), "aborted");
      expectReply(error.delivery, "none");
      expectReply(await one(transport, "EXISTS", key("a")), 0);
    },
  },
  {
    title: "a signal that never fires changes nothing",
    async run(transport) {
      const { signal } = new AbortController();
      expectReply(await transport.send([["ECHO", "hello"]], { signal, timeoutMs: 5_000 }), ["hello"]);
    },
  },
  {
    title: "a signal that fires on the way ends only its own call",
    async run(transport, key) {
      const controller = new AbortController();
      const aborted = transport.send([["ECHO", "never heard"]], { signal: controller.signal });
      const other = transport.send([["ECHO", "heard"]]);
      controller.abort();
      await expectRejection(aborted, "aborted");
      expectReply(await within(5_000, other), ["heard"]);
      expectReply(
        await transport.send([
          ["SET", key("a"), 1],
          ["GET", key("a")],
        ]),
        ["OK", "1"],
      );
    },
  },
  {
    title: "a signal that fires after the answer does no harm",
    async run(transport) {
      const controller = new AbortController();
      expectReply(await transport.send([["ECHO", "hello"]], { signal: controller.signal }), ["hello"]);
      controller.abort();
      expectReply(await one(transport, "ECHO", "again"), "again");
    },
  },
];
