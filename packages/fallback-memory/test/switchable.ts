import {
  type Command,
  type SendOptions,
  type Transport,
  TransportError,
  type TransportErrorDetails,
  type TransportErrorKind,
} from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";

/** A primary that fails on demand, and tells what it was sent. */
export interface Switchable extends Transport {
  readonly sent: Command[];
  readonly store: Transport;
  fail(kind: TransportErrorKind, details?: Partial<TransportErrorDetails>): void;
  /** Answers come only when the returned function is called. */
  hold(): () => void;
  mend(): void;
}

export function switchable(): Switchable {
  const store = memoryTransport();
  const sent: Command[] = [];
  let failure: (() => TransportError) | undefined;
  let held: Promise<void> | undefined;
  return {
    ...store,
    name: "switchable",
    store,
    sent,
    async send(commands: readonly Command[], options?: SendOptions) {
      sent.push(...commands);
      const now = failure;
      await held;
      if (now) throw now();
      return store.send(commands, options);
    },
    fail(kind, details) {
      failure = () => new TransportError(kind, "away", { transport: "switchable", ...details });
    },
    hold() {
      let release = (): void => {};
      held = new Promise((resolve) => {
        release = () => {
          held = undefined;
          resolve();
        };
      });
      return release;
    },
    mend() {
      failure = undefined;
    },
  };
}
