import { ConfigError } from "../errors/config-error.ts";
import { choiceOption, functionOption, type KnownOptions } from "../settings/options.ts";
import { callListener } from "./call-listener.ts";

/**
 * Listeners by event. One that throws is its owner's bug: the others are told all the same.
 *
 * @example
 * ```ts
 * import { createEvents } from "@continuum-cache/core/kit";
 *
 * const events = createEvents<{ moved: { readonly to: string } }>();
 * const stop = events.on("moved", ({ to }) => console.log(to));
 * events.emit("moved", { to: "local" });
 * stop();
 * ```
 */
export interface Events<Known> {
  /**
   * Calls the listener on each such event; returns the function that stops it.
   *
   * @throws ConfigError for an unknown name.
   */
  on<Name extends keyof Known>(name: Name, listener: (event: Known[Name]) => void): () => void;
  emit<Name extends keyof Known>(name: Name, event: Known[Name]): void;
}

/** Makes an empty set of listeners. @param known - The names of all events; without it any name is listened to. */
export function createEvents<Known>(known?: KnownOptions<Known>): Events<Known> {
  const listeners = new Map<keyof Known, Set<(event: never) => void>>();
  return {
    on(name, listener) {
      if (known) choiceOption("event", name, Object.keys(known));
      if (listener === undefined)
        throw new ConfigError("listener", `Expected a listener for "${String(name)}", got none`);
      functionOption("listener", listener);
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => set.delete(listener);
    },
    emit(name, event) {
      for (const listener of listeners.get(name) ?? []) {
        callListener(() => (listener as (event: unknown) => void)(event));
      }
    },
  };
}
