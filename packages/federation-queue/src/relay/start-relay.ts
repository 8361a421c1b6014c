import { type Events, isTransportError } from "@continuum-cache/core";
import { isUnanswered, toError } from "@continuum-cache/core/kit";
import { createDoorbell } from "../shared/doorbell/doorbell.ts";
import { createWake } from "../shared/wake.ts";
import { createCopier } from "./copier.ts";
import { createRoute } from "./route.ts";
import type { RelaySettings } from "./settings.ts";
import type { RelayEvents, RelayState } from "./types.ts";

/** The copying that goes on until it is closed. */
export interface RunningRelay {
  readonly state: RelayState;
  readonly copied: number;
  readonly lastError: Error | undefined;
  close(): Promise<void>;
}

/** How often is looked where rings can't be heard, at least. */
const unheardPollMs = 2_000;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function startRelay(settings: RelaySettings, emit: Events<RelayEvents>["emit"]): RunningRelay {
  const { from, to, channel, timeoutMs, pollMs } = settings;
  const hears = createDoorbell(from.transport, channel, timeoutMs, (error) => failed("listen", error));
  const rings = createDoorbell(to.transport, channel, timeoutMs);
  const wake = createWake();
  let state: RelayState = "running";
  let copied = 0;
  let lastError: Error | undefined;
  let isClosed = false;
  let isRefreshDue = true;
  let refreshAtMs = 0;

  const failed = (operation: string, error: unknown): void => {
    lastError = toError(error);
    emit("error", { operation, error: lastError });
  };
  const wentBack = (origin: string): void => emit("repaired", { origin });
  const route = createRoute(settings, {
    wentBack,
    conflict: (origin) =>
      failed(
        "relay",
        new Error(`The name "${origin}" is held on both sides: give each instance a name that no other region has`),
      ),
  });
  const copier = createCopier(settings, {
    copied(origin, count) {
      copied += count;
      rings.ring(origin);
      emit("copied", { origin, count });
    },
    gap: (gap) => emit("gap", gap),
    wentBack,
  });

  const stopListening = hears.listen((origins) => {
    const isNews = origins.length === 0 || origins.some((origin) => !route.knows(origin));
    if (isNews) isRefreshDue = true;
    if (isNews || origins.some((origin) => route.copies(origin))) wake.wake();
  });

  /** Tells whether there may be more. */
  const copyOnce = async (): Promise<boolean> => {
    if (isRefreshDue || performance.now() >= refreshAtMs) {
      isRefreshDue = false;
      await route.refresh();
      refreshAtMs = performance.now() + pollMs * (0.75 + 0.5 * Math.random());
    }
    if (await copier.copyPage(route.lanes)) return true;
    await copier.finish(await route.check());
    return isRefreshDue;
  };

  const run = async (): Promise<void> => {
    let pauseMs = firstPauseMs;
    while (!isClosed) {
      try {
        const isMore = await copyOnce();
        pauseMs = firstPauseMs;
        if (isClosed) return;
        state = "running";
        const waitMs = Math.max(1, refreshAtMs - performance.now());
        if (isMore) continue;
        const { isHeard } = hears;
        const isWoken = await wake.wait(isHeard ? waitMs : Math.min(waitMs, unheardPollMs));
        // Timers may be a little early.
        if (!isWoken && isHeard) isRefreshDue = true;
      } catch (error) {
        if (isClosed) return;
        if (state === "running" || !isUnanswered(error)) failed("relay", error);
        state = "waiting";
        // Whoever did not answer may be another when it does.
        isRefreshDue = true;
        // A transport that is closed stays so.
        if (isTransportError(error) && error.kind === "closed") return end();
        await wake.wait(pauseMs * (0.5 + Math.random()));
        pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      }
    }
  };

  const end = (): void => {
    isClosed = true;
    state = "closed";
    stopListening();
    wake.wake();
  };
  const running = run();
  const finish = async (): Promise<void> => {
    end();
    await running;
    await Promise.all([hears.close(), rings.close()]);
  };
  let closing: Promise<void> | undefined;

  return {
    get state() {
      return state;
    },
    get copied() {
      return copied;
    },
    get lastError() {
      return lastError;
    },
    close() {
      closing ??= finish();
      return closing;
    },
  };
}
