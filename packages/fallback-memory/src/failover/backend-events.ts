import type { BackendChange } from "@continuum-cache/core";
import { type BackendFailure, callListener, type KeptWrite } from "@continuum-cache/core/kit";

/** The events of a fallback. */
export interface BackendEvents {
  readonly change: Listeners<BackendChange>;
  readonly kept: Listeners<KeptWrite>;
  readonly failure: Listeners<BackendFailure>;
}

/** The listeners of one kind of event. */
export interface Listeners<Event> {
  add(listener: (event: Event) => void): () => void;
  notify(event: Event): void;
  readonly isEmpty: boolean;
}

export function createBackendEvents(): BackendEvents {
  return { change: createAudience(), kept: createAudience(), failure: createAudience() };
}

function createAudience<Event>(): Listeners<Event> {
  const listeners = new Set<(event: Event) => void>();
  return {
    add(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    notify(event) {
      for (const listener of [...listeners]) callListener(() => listener(event));
    },
    get isEmpty() {
      return listeners.size === 0;
    },
  };
}
