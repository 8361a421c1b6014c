import { type Events, isTransportError } from "@continuum-cache/core";
import { createBackoff, isUnanswered, toError } from "@continuum-cache/core/kit";
import { createRefreshSchedule } from "../log/refresh-schedule.ts";
import { createDoorbell } from "../shared/doorbell/doorbell.ts";
import { createWake } from "../shared/wake.ts";
import { createCopier } from "./copier.ts";
import { createOriginMap } from "./origin-map.ts";
import type { RelaySettings } from "./settings.ts";
import type { RelayEvents, RelayStats } from "./types.ts";

/** A relay that copies until it is closed. */
export interface RunningRelay {
  /** The current state. */
  readonly status: Readonly<Omit<RelayStats, "origins">>;
  close(): Promise<void>;
}

/** The longest time between two reads while rings cannot be heard. */
const unheardPollMs = 2_000;

export function startRelay(settings: RelaySettings, emit: Events<RelayEvents>["emit"]): RunningRelay {
  const { from, to, channel, timeoutMs, pollMs } = settings;
  const sourceBell = createDoorbell(from.transport, channel, timeoutMs, (error) => failed("listen", error));
  const targetBell = createDoorbell(to.transport, channel, timeoutMs);
  const wake = createWake();
  const schedule = createRefreshSchedule(pollMs);
  const status: { -readonly [Name in keyof RunningRelay["status"]]: RelayStats[Name] } = {
    state: "running",
    copied: 0,
    lastError: undefined,
  };
  let closing: Promise<void> | undefined;
  const isClosed = (): boolean => status.state === "closed";

  const failed = (operation: string, error: unknown): void => {
    status.lastError = toError(error);
    emit("error", { operation, error: status.lastError });
  };
  const lostData = (origin: string): void => emit("repaired", { origin });
  const origins = createOriginMap(settings, {
    lostData,
    conflict(origin) {
      const remedy = "give each instance a name that no other region has";
      failed("relay", new Error(`The name "${origin}" is held on both sides: ${remedy}`));
    },
  });
  const copier = createCopier(settings, {
    copied(origin, count) {
      status.copied += count;
      targetBell.ring(origin);
      emit("copied", { origin, count });
    },
    gap: (gap) => emit("gap", gap),
    lostData,
  });

  const stopListening = sourceBell.listen((rung) => {
    const isNews = rung.length === 0 || rung.some((origin) => !origins.knows(origin));
    if (isNews) schedule.request();
    if (isNews || rung.some((origin) => origins.copies(origin))) wake.wake();
  });

  /** Returns whether there may be more. */
  const copyOnce = async (): Promise<boolean> => {
    await schedule.runIfDue(origins.refresh);
    if (await copier.copyPage(origins.cursors)) return true;
    await copier.finish(await origins.check());
    return schedule.isRequested;
  };

  const idle = async (): Promise<void> => {
    const { isHeard } = sourceBell;
    const waitMs = Math.max(1, schedule.msLeft);
    const isWoken = await wake.wait(isHeard ? waitMs : Math.min(waitMs, unheardPollMs));
    // Timers may be a little early.
    if (!isWoken && isHeard) schedule.request();
  };

  const run = async (): Promise<void> => {
    const backoff = createBackoff({ firstMs: 100, longestMs: 5_000 });
    while (!isClosed()) {
      try {
        const isMore = await copyOnce();
        backoff.reset();
        if (isClosed()) return;
        status.state = "running";
        if (!isMore) await idle();
      } catch (error) {
        if (isClosed()) return;
        if (status.state === "running" || !isUnanswered(error)) failed("relay", error);
        status.state = "waiting";
        // The server that replies next may be another one.
        schedule.request();
        // A closed transport stays closed.
        if (isTransportError(error) && error.kind === "closed") return end();
        await wake.wait(backoff.next());
      }
    }
  };

  const end = (): void => {
    status.state = "closed";
    stopListening();
    wake.wake();
  };
  const running = run();
  const finish = async (): Promise<void> => {
    end();
    await running;
    await Promise.all([sourceBell.close(), targetBell.close()]);
  };

  return {
    status,
    close() {
      closing ??= finish();
      return closing;
    },
  };
}
