import type { Transport } from "@continuum-cache/core";
import { expectRejection, within } from "../expect/expect-rejection.ts";
import type { Stall } from "./faults.ts";

/** A case about closing a transport. Each case needs a transport of its own. */
export interface ClosingCase {
  readonly title: string;
  run(transport: Transport): Promise<void>;
}

/** A case about closing a transport whose server hangs. */
export interface StalledClosingCase {
  readonly title: string;
  run(transport: Transport, faults: Stall): Promise<void>;
}

/** A closed transport leaves nothing open, and says so in its errors. */
export const closingCases: readonly ClosingCase[] = [
  {
    title: "closes twice, and before its first use",
    async run(transport) {
      await transport.close();
      await transport.close();
    },
  },
  {
    title: "rejects with kind closed after close, and sends nothing",
    async run(transport) {
      await transport.send([["PING"]]);
      await transport.close();
      await expectRejection(transport.send([["PING"]]), "closed");
      await expectRejection(transport.send([["PING"]], { atomic: true }), "closed");
    },
  },
  {
    title: "closes once for callers that close it at the same time",
    async run(transport) {
      await transport.send([["PING"]]);
      await Promise.all([transport.close(), transport.close()]);
    },
  },
];

/** The same with a server that hangs: `close()` does not wait for answers. */
export const stalledClosingCases: readonly StalledClosingCase[] = [
  {
    title: "calls in flight reject with kind closed",
    async run(transport, faults) {
      await transport.send([["PING"]]);
      await faults.stall();
      try {
        const calls = Array.from({ length: 3 }, () => transport.send([["PING"]], { timeoutMs: 20_000 }));
        const rejections = calls.map((call) => expectRejection(call, "closed"));
        await new Promise((resolve) => setTimeout(resolve, 20));
        await within(5_000, transport.close());
        await Promise.all(rejections);
      } finally {
        await faults.resume();
      }
    },
  },
];
