import { dispatchOf, offersDispatch, type Transport, TransportError } from "@continuum-cache/core";

/** A transport that is made at its first use, so that a cache can be constructed synchronously and for nothing. */
export function lazyTransport(name: string, make: () => Promise<Transport>): Transport {
  let making: Promise<Transport> | undefined;
  let closed = false;

  const ready = async (): Promise<Transport> => {
    if (closed) throw new TransportError("closed", "The transport was closed", { transport: name, delivery: "none" });
    making ??= make().then((transport) => {
      // From now on trips go there directly.
      offersDispatch(lazy, dispatchOf(transport));
      return transport;
    });
    return making;
  };

  const lazy: Transport = {
    name,
    send: (commands, options) => ready().then((transport) => transport.send(commands, options)),
    async subscribe(topics, listener, options) {
      const transport = await ready();
      if (transport.subscribe) return transport.subscribe(topics, listener, options);
      throw new TransportError("protocol", "This backend can't listen", { transport: name, delivery: "none" });
    },
    async close() {
      closed = true;
      await (await making)?.close();
    },
  };
  return lazy;
}
