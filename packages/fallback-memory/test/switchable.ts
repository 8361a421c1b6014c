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
  restore(): void;
  /** Decides the fate of each trip that would have succeeded: done, done with its reply lost, or not done. */
  fate(decide: (commands: readonly Command[]) => "done" | "lost" | "refused"): void;
}

/** @param store - What answers while it does not fail. */
export function switchable(store: Transport = memoryTransport()): Switchable {
  const sent: Command[] = [];
  let failure: (() => TransportError) | undefined;
  let held: Promise<void> | undefined;
  let decide: (commands: readonly Command[]) => "done" | "lost" | "refused" = () => "done";
  return {
    ...store,
    name: "switchable",
    store,
    sent,
    async send(commands: readonly Command[], options?: SendOptions) {
      sent.push(...commands);
      if (failure) throw failure();
      await held;
      const fate = decide(commands);
      if (fate === "done") return store.send(commands, options);
      if (fate === "lost") await store.send(commands, options);
      const delivery = fate === "lost" ? "unknown" : "none";
      throw new TransportError("unreachable", "cut", { transport: "switchable", delivery });
    },
    fate(next) {
      decide = next;
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
    restore() {
      failure = undefined;
      decide = () => "done";
    },
  };
}
