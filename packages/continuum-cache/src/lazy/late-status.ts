import type { Backend, BackendStatus } from "@continuum-cache/core";

/** The status of a transport that is created later. */
export interface LateStatus {
  readonly status: BackendStatus;
  /** Passes on the status of the created transport, and attaches all listeners to it. */
  follow(made: BackendStatus): void;
}

/** @param currentBackend - The backend of the first answer. */
export function lateStatus(currentBackend: Backend): LateStatus {
  let made: BackendStatus | undefined;
  const waiting = new Set<(status: BackendStatus) => void>();

  const listen = (attach: (status: BackendStatus) => (() => void) | undefined): (() => void) => {
    if (made) return attach(made) ?? (() => {});
    let stop: (() => void) | undefined;
    const attachLater = (status: BackendStatus): void => {
      stop = attach(status);
    };
    waiting.add(attachLater);
    return () => {
      waiting.delete(attachLater);
      stop?.();
    };
  };

  return {
    status: {
      get currentBackend() {
        return made?.currentBackend ?? currentBackend;
      },
      get pending() {
        return made?.pending ?? 0;
      },
      get outage() {
        return made?.outage;
      },
      onChange: (listener) => listen((status) => status.onChange(listener)),
      onKept: (listener) => listen((status) => status.onKept?.(listener)),
      onFailure: (listener) => listen((status) => status.onFailure?.(listener)),
    },
    follow(status) {
      made = status;
      for (const attach of waiting) attach(status);
      waiting.clear();
    },
  };
}
