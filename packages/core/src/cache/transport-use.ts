import { TransportError } from "../errors/transport-error.ts";
import type { Transport } from "../ports/transport.ts";
import type { Tick } from "./tick.ts";

/** How many caches stand on a transport and are not closed yet. */
const users = new WeakMap<Transport, number>();

/** One cache's use of a transport. */
export interface TransportUse {
  /** A tick that rejects what is sent after the end. */
  bounded(tick: Tick): Tick;
  /** Ends the use, once; the last one to end closes the transport. */
  end(): Promise<void>;
}

export function useTransport(transport: Transport): TransportUse {
  users.set(transport, (users.get(transport) ?? 0) + 1);
  let isOver = false;
  const over = (): Promise<never> =>
    Promise.reject(
      new TransportError("closed", "The cache was closed: make another one to go on", {
        transport: transport.name,
        delivery: "none",
      }),
    );
  return {
    bounded: (tick) => ({
      ...tick,
      send: (commands, options) => (isOver ? over() : tick.send(commands, options)),
      read: (key, options) => (isOver ? over() : tick.read(key, options)),
    }),
    async end() {
      isOver = true;
      const left = (users.get(transport) ?? 1) - 1;
      users.set(transport, left);
      if (left === 0) await transport.close();
    },
  };
}
