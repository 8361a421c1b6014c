import type { Transport } from "../ports/transport.ts";

/** How many caches stand on a transport and are not closed yet. */
const users = new WeakMap<Transport, number>();

/** One cache's use of a transport. */
export interface TransportUse {
  readonly isOver: boolean;
  /** Ends the use, once; the last one to end closes the transport. */
  end(): Promise<void>;
}

export function useTransport(transport: Transport): TransportUse {
  users.set(transport, (users.get(transport) ?? 0) + 1);
  const use = {
    isOver: false,
    async end(): Promise<void> {
      use.isOver = true;
      const left = (users.get(transport) ?? 1) - 1;
      users.set(transport, left);
      if (left === 0) await transport.close();
    },
  };
  return use;
}
