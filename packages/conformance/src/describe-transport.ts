import type { Transport } from "@continuum-cache/core";
import { closingCases, stalledClosingCases } from "./cases/closing.ts";
import { faultCases, type Stall } from "./cases/faults.ts";
import { keyMaker } from "./key-maker.ts";
import { assertSkips, type Runner, register, registerEnd, type Skips } from "./runner.ts";
import { casesByTheme, transportCases } from "./transport-cases.ts";

/** A transport, alone or with what has to be given back after it. */
export type MadeTransport = Transport | { readonly transport: Transport; close?(): Promise<void> };

/** How to run the suite. */
export interface DescribeTransportOptions extends Runner {
  /** Cases to leave out, each with its reason: by title, or all that have a need (`"bytes-anywhere"`). */
  readonly skip?: Skips;
  /** What every key begins with, for users who may touch no other. @default "conformance:" */
  readonly keyPrefix?: string;
  /** Makes the server hang, to check deadlines; without it the cases about hanging servers are not registered. */
  readonly faults?: Stall;
}

/**
 * Registers the suite that every transport must pass with any test runner.
 *
 * @param make - Makes the transport to test. Called once for the suite, and once for each case that closes it.
 *
 * @example
 * ```ts
 * import { describeTransport } from "@continuum-cache/conformance";
 * import type { Transport } from "@continuum-cache/core";
 * import { after, describe, it } from "node:test";
 *
 * declare function myTransport(): Transport;
 *
 * describeTransport("my transport", () => myTransport(), { describe, it, afterAll: after });
 * ```
 */
export function describeTransport(
  name: string,
  make: () => MadeTransport | Promise<MadeTransport>,
  options: DescribeTransportOptions,
): void {
  const { describe, skip = {}, keyPrefix = "conformance:", faults } = options;
  const others = [...closingCases, ...faultCases, ...stalledClosingCases];
  assertSkips(skip, [
    ...transportCases.flatMap(({ title, needs }) => [title, needs]),
    ...others.map(({ title }) => title),
  ]);

  let shared: Promise<Opened> | undefined;
  const opened = async (): Promise<Transport> => {
    shared ??= open(make);
    return (await shared).transport;
  };
  const withOwn = async (run: (transport: Transport) => Promise<void>): Promise<void> => {
    const own = await open(make);
    try {
      await run(own.transport);
    } finally {
      await own.close();
    }
  };

  describe(`${name}: conformance`, () => {
    for (const [theme, cases] of Object.entries(casesByTheme)) {
      describe(theme, () => {
        for (const one of cases) {
          register(options, skip, one, async () => one.run(await opened(), keyMaker(keyPrefix)));
        }
      });
    }
    if (faults) {
      describe("a server that hangs", () => {
        // A transport of its own for each: what one case leaves behind on a connection must not help the next.
        for (const one of faultCases) {
          register(options, skip, one, () => withOwn((transport) => one.run(transport, keyMaker(keyPrefix), faults)));
        }
        for (const one of stalledClosingCases) {
          register(options, skip, one, () => withOwn((transport) => one.run(transport, faults)));
        }
      });
    }
    describe("closing", () => {
      for (const one of closingCases) register(options, skip, one, () => withOwn(one.run));
    });
    registerEnd(options, async () => {
      await (await shared)?.close();
    });
  });
}

/** A transport with the way to give back everything that came with it. */
interface Opened {
  readonly transport: Transport;
  close(): Promise<void>;
}

async function open(make: () => MadeTransport | Promise<MadeTransport>): Promise<Opened> {
  const made = await make();
  if (!("transport" in made)) return { transport: made, close: () => made.close() };
  return {
    transport: made.transport,
    async close() {
      await made.transport.close();
      await made.close?.();
    },
  };
}
