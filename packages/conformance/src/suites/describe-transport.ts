import { closingCases, stalledClosingCases } from "../cases/closing.ts";
import { faultCases, type Stall } from "../cases/faults.ts";
import { keyMaker } from "../cases/transport-case.ts";
import { casesByTheme, transportCases } from "../cases/transport-cases.ts";
import { createOpener, type MakeTransport } from "./opened-transport.ts";
import { assertSkips, type Runner, register, registerEnd, type Skips } from "./runner.ts";

/** How to run the suite. */
export interface DescribeTransportOptions extends Runner {
  /** Cases to leave out, each with its reason: by title, or all that have a need (`"bytes-anywhere"`). */
  readonly skip?: Skips;
  /** The prefix of every key, for users that may access no others. @default "conformance:" */
  readonly keyPrefix?: string;
  /** Makes the server hang, to check deadlines; without it the cases about hanging servers are not registered. */
  readonly faults?: Stall;
}

/**
 * Registers the suite that every transport must pass with any test runner.
 *
 * @param make - Makes the transport to test: once for the suite, and once for each case that breaks or closes it.
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
export function describeTransport(name: string, make: MakeTransport, options: DescribeTransportOptions): void {
  const { describe, skip = {}, keyPrefix = "conformance:", faults } = options;
  const others = [...closingCases, ...faultCases, ...stalledClosingCases];
  assertSkips(skip, [
    ...transportCases.flatMap(({ title, needs }) => [title, needs]),
    ...others.map(({ title }) => title),
  ]);
  const opener = createOpener(make);

  describe(`${name}: conformance`, () => {
    for (const [theme, cases] of Object.entries(casesByTheme)) {
      describe(theme, () => {
        for (const one of cases) {
          register(options, skip, one, async () => one.run(await opener.shared(), keyMaker(keyPrefix)));
        }
      });
    }
    if (faults) {
      describe("a server that hangs", () => {
        for (const one of faultCases) {
          register(options, skip, one, () =>
            opener.withOwn((transport) => one.run(transport, keyMaker(keyPrefix), faults)),
          );
        }
        for (const one of stalledClosingCases) {
          register(options, skip, one, () => opener.withOwn((transport) => one.run(transport, faults)));
        }
      });
    }
    describe("closing", () => {
      for (const one of closingCases) register(options, skip, one, () => opener.withOwn(one.run));
    });
    registerEnd(options, opener.close);
  });
}
