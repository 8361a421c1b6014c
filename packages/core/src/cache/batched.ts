import type { Reply, Transport } from "../ports/transport.ts";
import { defaultTimeoutMs } from "../time/with-deadline.ts";
import { createBatcher } from "./batcher.ts";
import { Call } from "./calls.ts";

/**
 * The same transport, whose trips of one tick travel as one: one HTTP request or one write for all of them. Each has
 * its own replies; trips that are atomic, or have other deadlines than the rest, travel by themselves. A trip that
 * fails fails for all.
 *
 * @example
 * ```ts
 * import { type Transport } from "@continuum-cache/core";
 * import { batched } from "@continuum-cache/core/kit";
 *
 * async function countAll(transport: Transport, names: readonly string[]): Promise<void> {
 *   const together = batched(transport);
 *   await Promise.all(names.map((name) => together.send([["INCR", name]]))); // one trip
 * }
 * ```
 */
export function batched(transport: Transport): Transport {
  const batcher = createBatcher(transport, { timeoutMs: defaultTimeoutMs });
  const { name, maxTopicBytes, hasCheapTrips, status } = transport;
  return {
    name,
    send(commands, options = {}) {
      if (commands.length === 0) return transport.send(commands, options);
      const all = {
        operation: "send",
        commands,
        read: (replies: readonly Reply[], at: number) => replies.slice(at, at + commands.length),
      };
      return new Promise((resolve, reject) => {
        batcher.send(commands, options, new Call<Reply[]>(all, options.signal, name, { resolve, reject }));
      });
    },
    ...(transport.subscribe && { subscribe: transport.subscribe.bind(transport) }),
    ...(maxTopicBytes !== undefined && { maxTopicBytes }),
    ...(hasCheapTrips && { hasCheapTrips }),
    ...(status && { status }),
    close: () => transport.close(),
  };
}
