import { TransportError } from "../errors/transport-error.ts";
import type { Transport } from "../ports/transport.ts";

/** How many caches stand on a transport and are not closed yet. */
const users = new WeakMap<Transport, number>();

/** One cache's use of a transport. */
export interface TransportUse {
  /** @throws TransportError of kind `closed` after the end. */
  assertOpen(): void;
  /** Ends the use, once; the last one to end closes the transport. */
  end(): Promise<void>;
}

export function useTransport(transport: Transport): TransportUse {
  users.set(transport, (users.get(transport) ?? 0) + 1);
  let isOver = false;
  return {
    assertOpen() {
      if (!isOver) return;
      throw new TransportError("closed", "The cache was closed: make another one to go on", {
        transport: transport.name,
        delivery: "none",
      });
    },
    async end() {
      isOver = true;
      const left = (users.get(transport) ?? 1) - 1;
      users.set(transport, left);
      if (left === 0) await transport.close();
    },
  };
}
