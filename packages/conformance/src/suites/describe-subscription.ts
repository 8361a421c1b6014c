import { fixedCases, growingCases, growingInterruptionCases } from "../cases/growing-subscriptions.ts";
import { endingCases, interruptionCases, type Sever, subscriptionCases } from "../cases/subscriptions.ts";
import { keyMaker } from "../cases/transport-case.ts";
import { createOpener, type MakeTransport } from "./opened-transport.ts";
import { assertSkips, type Runner, register, registerEnd, type Skips } from "./runner.ts";

/** How to run the suite. */
export interface DescribeSubscriptionOptions extends Runner {
  /** Cases to leave out by title, each with its reason. */
  readonly skip?: Skips;
  /** The prefix of every channel, for users that may subscribe to no others. @default "conformance:" */
  readonly keyPrefix?: string;
  /** Whether streams have `add` and `remove`. Without it the suite checks that they have neither. @default false */
  readonly growing?: boolean;
  /** Breaks the streams, to check `interrupted`; without it those cases are not registered. */
  readonly faults?: Sever;
}

/**
 * Registers the suite for transports that can subscribe.
 *
 * @param make - Makes the transport to test: once for the suite, and once for each case that breaks its streams.
 *
 * @example
 * ```ts
 * import { describeSubscription } from "@continuum-cache/conformance";
 * import type { Transport } from "@continuum-cache/core";
 * import { after, describe, it } from "node:test";
 *
 * declare function myTransport(): Transport;
 *
 * describeSubscription("my transport", () => myTransport(), { describe, it, afterAll: after });
 * ```
 */
export function describeSubscription(name: string, make: MakeTransport, options: DescribeSubscriptionOptions): void {
  const { describe, skip = {}, keyPrefix = "conformance:", growing = false, faults } = options;
  const cases = [...subscriptionCases, ...(growing ? growingCases : fixedCases)];
  const breaking = [...interruptionCases, ...(growing ? growingInterruptionCases : [])];
  assertSkips(
    skip,
    [...cases, ...endingCases, ...breaking].map(({ title }) => title),
  );
  const opener = createOpener(make);

  describe(`${name}: subscriptions`, () => {
    for (const one of cases) {
      register(options, skip, one, async () => one.run(await opener.shared(), keyMaker(keyPrefix)));
    }
    for (const one of endingCases) {
      register(options, skip, one, () => opener.withOwn((transport) => one.run(transport, keyMaker(keyPrefix))));
    }
    if (faults) {
      for (const one of breaking) {
        register(options, skip, one, () =>
          opener.withOwn((transport) => one.run(transport, keyMaker(keyPrefix), faults)),
        );
      }
    }
    registerEnd(options, opener.close);
  });
}
