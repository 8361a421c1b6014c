import { type Claim, createBackoff, createClaim, createMutex } from "@continuum-cache/core/kit";
import type { Notifier } from "../shared/notifier.ts";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { createDueTimer } from "../shared/timing.ts";
import { forgetConsumersScript } from "./forget-consumers-script.ts";
import { type MaintenanceResult, maintenanceScript, readMaintenanceResult } from "./maintenance-script.ts";
import type { QueueNotification } from "./queue-notifier.ts";
import type { QueueSettings } from "./settings.ts";

/**
 * Gives out due and abandoned messages, and deletes old ones. One process at a time is enough: the one that has run it
 * notifies the others, which put theirs off.
 */
export interface Maintenance {
  /** Runs it now if it is overdue, for pulls without a worker. @throws TransportError when no answer came. */
  runIfOverdue(): Promise<void>;
  /** Runs it in the background until the returned function is called. */
  start(): () => void;
  /** Messages are being pushed or worked on. */
  noteActivity(): void;
  /** Another process has sent a notification; undefined: notifications may have been missed. */
  onNotification(notification: Exclude<QueueNotification, { kind: "work" }> | undefined): void;
  close(): Promise<void>;
}

export interface MaintenanceListener {
  notify(notification: QueueNotification): void;
  maintained(result: MaintenanceResult): void;
  failed(error: unknown): void;
}

/** The script moves at most this many messages of each kind at once. */
const batch = 100;
/** While the queue is idle it runs once in this many poll intervals, in case a notification was lost. */
const idlePolls = 10;
/** How often acked entries and old dead letters are deleted. */
const trimEveryMs = 300_000;
/** Consumers that were idle for this many leases belong to processes that are gone. */
const forgottenLeases = 10;
/** A worker looks for such consumers when it starts, and then once in this many of those times. */
const forgetEvery = 10;

export function createMaintenance(
  client: PrimaryClient,
  settings: QueueSettings,
  channel: Pick<Notifier, "isListening">,
  listener: MaintenanceListener,
): Maintenance {
  const { leaseMs, pollMs } = settings;
  const halfLeaseMs = leaseMs / 2;
  const runner = createRunner(client, settings);
  const turns = createMutex();
  const backoff = createBackoff({ firstMs: Math.min(250, halfLeaseMs), longestMs: Math.min(5_000, halfLeaseMs) });
  let schedule: MaintenanceSchedule = initialSchedule(performance.now());
  let workers = 0;
  /** The background run in progress. The call that does it may vanish. */
  let ticking: Claim | undefined;
  /** After a failure: when to try again. */
  let notBeforeMs = 0;
  let isClosed = false;

  const isOverdueNow = (): boolean => isOverdue(schedule, halfLeaseMs, performance.now());
  const nextMs = (): number => {
    const intervalMs = schedule.isActive || !channel.isListening ? halfLeaseMs : idlePolls * pollMs;
    return Math.max(notBeforeMs, nextRunMs(schedule, intervalMs));
  };
  const isDueNow = (): boolean => nextMs() <= performance.now() + 5;

  /** @returns whether there is more to do. */
  const runOnce = async (): Promise<boolean> => {
    const startedMs = performance.now();
    const result = await runner.run();
    const { woken, nextDueInMs } = result;
    const pending = result.pending + woken.length;
    schedule = afterRun(schedule, { pending, nextDueInMs }, startedMs, performance.now());
    for (const name of woken) listener.notify({ kind: "work", name });
    listener.notify({ kind: "maintained", pending, nextDueInMs });
    listener.maintained(result);
    return result.hasMore;
  };
  /** One run at a time: a call whose turn comes after another has run it has nothing to do. */
  const runIf = async (isDue: () => boolean): Promise<void> => {
    await turns.run(
      async () => {
        if (!isDue() || isClosed) return;
        while ((await runOnce()) && !isClosed);
        if (!isClosed) await runner.forgetConsumers();
      },
      { timeoutMs: client.timeoutMs },
    );
  };

  const tick = async (): Promise<void> => {
    const own = createClaim();
    ticking = own;
    try {
      // Another process may have run it in the meantime.
      if (isDueNow()) {
        await runIf(isDueNow);
        backoff.reset();
        notBeforeMs = 0;
      }
    } catch (error) {
      // One error event per outage.
      if (notBeforeMs === 0) listener.failed(error);
      notBeforeMs = performance.now() + backoff.next();
    }
    own.release();
    setTimer();
  };
  const timer = createDueTimer(() => void tick());
  const setTimer = (): void => {
    if (workers > 0 && !isClosed && !ticking?.isHeld) timer.set(nextMs());
  };

  return {
    async runIfOverdue() {
      if (isOverdueNow()) await runIf(isOverdueNow);
    },
    start() {
      if (workers++ === 0) runner.workerStarted();
      setTimer();
      let isOn = true;
      return () => {
        if (isOn) workers--;
        isOn = false;
        if (workers === 0) timer.clear();
      };
    },
    noteActivity() {
      const wasActive = schedule.isActive;
      schedule = afterActivity(schedule, performance.now());
      if (!wasActive) setTimer();
    },
    onNotification(notification) {
      const nowMs = performance.now();
      if (!notification) schedule = afterActivity(schedule, nowMs);
      else if (notification.kind === "delayed") schedule = afterDelayed(schedule, notification.inMs, nowMs);
      else schedule = afterRun(schedule, notification, nowMs - halfLeaseMs, nowMs);
      setTimer();
    },
    async close() {
      isClosed = true;
      timer.clear();
      await turns.idle();
    },
  };
}

/** Runs the scripts. */
function createRunner(
  client: PrimaryClient,
  { keys, leaseMs, pollMs, maxCrashes, retentionMs, repairMs }: QueueSettings,
) {
  const streams = keys.streams.map(({ key }) => key);
  const trimMs = Math.min(trimEveryMs, idlePolls * pollMs, retentionMs / 8);
  const idleMs = Math.ceil(forgottenLeases * Math.max(leaseMs, pollMs / 4));
  let trimmedMs = Number.NEGATIVE_INFINITY;
  /**
   * When idle consumers were last looked for. A process that only pulls may be short-lived: it does not look at first.
   */
  let forgotMs = performance.now();

  return {
    workerStarted(): void {
      forgotMs = Number.NEGATIVE_INFINITY;
    },
    async run(): Promise<MaintenanceResult> {
      const nowMs = performance.now();
      const isTrimming = nowMs - trimmedMs >= trimMs;
      if (isTrimming) trimmedMs = nowMs;
      const args = [leaseMs, maxCrashes, retentionMs, isTrimming ? repairMs : "", batch, ...keys.priorities];
      return readMaintenanceResult(await client.run(maintenanceScript, [keys.delayed, keys.dead, ...streams], args));
    },
    async forgetConsumers(): Promise<void> {
      if (performance.now() - forgotMs < forgetEvery * idleMs) return;
      await client.run(forgetConsumersScript, streams, ["", idleMs]);
      forgotMs = performance.now();
    },
  };
}

/**
 * When a process runs maintenance: half a lease after the last run of any process while the queue is active, seldom
 * while it is idle, and when a delayed message is due. Times are `performance.now()`.
 */
export interface MaintenanceSchedule {
  /** The last run, here or in another process. */
  readonly ranMs: number;
  /** There are leases, or there may be soon. */
  readonly isActive: boolean;
  /** The last sign of activity. A notification of another process may describe the queue before it. */
  readonly activeMs: number;
  readonly delayedDueMs: number;
}

/** All processes wait for the same delayed message. This spread, at most, lets one of them be first. */
const spreadMs = 200;

export const initialSchedule = (nowMs: number): MaintenanceSchedule => ({
  ranMs: Number.NEGATIVE_INFINITY,
  isActive: true,
  activeMs: nowMs,
  delayedDueMs: Number.POSITIVE_INFINITY,
});

export const afterActivity = (schedule: MaintenanceSchedule, nowMs: number): MaintenanceSchedule => ({
  ...schedule,
  isActive: true,
  activeMs: nowMs,
});

/** @param sinceMs - The result may not include activity since then. */
export function afterRun(
  schedule: MaintenanceSchedule,
  result: { readonly pending: number; readonly nextDueInMs: number | undefined },
  sinceMs: number,
  nowMs: number,
): MaintenanceSchedule {
  const isActive = result.pending > 0 || schedule.activeMs >= sinceMs;
  const ran = { ...schedule, ranMs: nowMs, isActive, delayedDueMs: Number.POSITIVE_INFINITY };
  return afterDelayed(ran, result.nextDueInMs, nowMs);
}

/** @param inMs - When a delayed message is due; undefined: there is none. */
export function afterDelayed(
  schedule: MaintenanceSchedule,
  inMs: number | undefined,
  nowMs: number,
): MaintenanceSchedule {
  if (inMs === undefined) return schedule;
  const dueMs = nowMs + inMs + Math.random() * Math.min(spreadMs, inMs / 4);
  return { ...schedule, delayedDueMs: Math.min(schedule.delayedDueMs, dueMs) };
}

/** Whether a pull has to run it, where no worker does. */
export const isOverdue = ({ ranMs, delayedDueMs }: MaintenanceSchedule, halfLeaseMs: number, nowMs: number): boolean =>
  nowMs - ranMs >= halfLeaseMs || nowMs > delayedDueMs;

/** @param intervalMs - Between two runs, with jitter. */
export const nextRunMs = ({ ranMs, delayedDueMs }: MaintenanceSchedule, intervalMs: number): number =>
  Math.min(ranMs + intervalMs * (0.75 + 0.2 * Math.random()), delayedDueMs + 5);
