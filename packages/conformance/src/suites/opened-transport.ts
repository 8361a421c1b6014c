import type { Transport } from "@continuum-cache/core";

/** A transport, alone or with a function that closes what came with it. */
export type MadeTransport = Transport | { readonly transport: Transport; close?(): Promise<void> };

/** Makes the transport to test. */
export type MakeTransport = () => MadeTransport | Promise<MadeTransport>;

/** A transport with a function that closes it and everything that came with it. */
export interface OpenedTransport {
  readonly transport: Transport;
  close(): Promise<void>;
}

/** Makes a transport. */
async function open(make: MakeTransport): Promise<OpenedTransport> {
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

/** How the cases of a suite get their transport. */
export interface Opener {
  /** The one that the suite shares, made on first use. */
  shared(): Promise<Transport>;
  /** Opens a transport for this work, and closes it afterwards. */
  withOwn(work: (transport: Transport) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** One transport for a suite, and further ones for cases that break or close theirs. */
export function createOpener(make: MakeTransport): Opener {
  let shared: Promise<OpenedTransport> | undefined;
  return {
    async shared() {
      shared ??= open(make);
      return (await shared).transport;
    },
    async withOwn(work) {
      const own = await open(make);
      try {
        await work(own.transport);
      } finally {
        await own.close();
      }
    },
    async close() {
      await (await shared)?.close();
    },
  };
}
