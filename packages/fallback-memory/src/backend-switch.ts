import {
  type BackendChange,
  type BackendStatus,
  type Clock,
  type Command,
  isCommandError,
  isTransportError,
  isWrite,
  longestTimerMs,
  type Reply,
  type TransportError,
  tell,
} from "@continuum-cache/core";

/** Which backend answers, and the way there and back. */
export interface BackendSwitch {
  readonly status: BackendStatus;
  /** Whether answers come from the local backend; asking looks after the probe that is due. */
  isLocal(): boolean;
  /** The primary has failed: from now on it is local. */
  leave(error: TransportError): void;
  /** To be called before a local trip; the returned function counts what of it the local backend has accepted. */
  countPending(): (commands: readonly Command[], replies: readonly Reply[]) => void;
  /** No more probes. */
  close(): void;
}

export interface BackendSwitchOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Resolves when the primary answers. */
  readonly ping: () => Promise<unknown>;
  /** Called when answers have just begun to come from the primary again. */
  readonly onReturn: () => void;
}

/** A time of being local. */
interface Away {
  pending: number;
  isProbing: boolean;
  nextProbeAtMs: number;
}

export function createBackendSwitch({ clock, intervalMs, ping, onReturn }: BackendSwitchOptions): BackendSwitch {
  const listeners = new Set<(change: BackendChange) => void>();
  let away: Away | undefined;
  let isClosed = false;
  let cancelTimer = (): void => {};

  const announce = (change: BackendChange): void => {
    for (const listener of [...listeners]) tell(() => listener(change));
  };

  const waitForProbe = (now: Away, error: unknown): void => {
    const askedMs = isTransportError(error) ? (error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(intervalMs, askedMs);
    now.nextProbeAtMs = clock.now() + waitMs;
    wakeUpIn(waitMs);
  };

  const wakeUpIn = (ms: number): void => {
    cancelTimer();
    cancelTimer = idleTimer(() => {
      probeIfDue();
      // A timer may be a moment ahead of the clock.
      if (away && !away.isProbing) wakeUpIn(Math.max(1, away.nextProbeAtMs - clock.now()));
    }, ms);
  };

  const comeBack = (): void => {
    const dropped = away?.pending ?? 0;
    away = undefined;
    cancelTimer();
    onReturn();
    const loss = dropped > 0 ? `; ${dropped} mutation(s) that only the local backend had accepted were dropped` : "";
    announce({ from: "local", to: "upstash", reason: `the primary answers again${loss}` });
  };

  const probe = async (now: Away): Promise<void> => {
    now.isProbing = true;
    try {
      await ping();
      if (away === now && !isClosed) comeBack();
    } catch (error) {
      if (away === now && !isClosed) waitForProbe(now, error);
    } finally {
      now.isProbing = false;
    }
  };

  const probeIfDue = (): void => {
    if (!away || away.isProbing || isClosed) return;
    if (clock.now() >= away.nextProbeAtMs) void probe(away);
  };

  return {
    status: {
      get currentBackend() {
        return away ? "local" : "upstash";
      },
      get pending() {
        return away?.pending ?? 0;
      },
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    isLocal() {
      probeIfDue();
      return away !== undefined;
    },
    leave(error) {
      if (away || isClosed) return;
      away = { pending: 0, isProbing: false, nextProbeAtMs: 0 };
      waitForProbe(away, error);
      announce({ from: "upstash", to: "local", reason: `${error.kind}: ${error.message}` });
    },
    countPending() {
      const now = away;
      return (commands, replies) => {
        if (!now) return;
        now.pending += commands.filter((command, index) => isWrite(command) && !isCommandError(replies[index])).length;
      };
    },
    close() {
      isClosed = true;
      cancelTimer();
    },
  };
}

/**
 * A timer for an idle process, where there are timers that keep none alive: elsewhere (on the edge) timers end with the
 * request that set them, and the next call does what is due. Returns what cancels it.
 */
function idleTimer(callback: () => void, ms: number): () => void {
  const timer: unknown = setTimeout(callback, Math.min(ms, longestTimerMs));
  const cancel = (): void => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
  else cancel();
  return cancel;
}
