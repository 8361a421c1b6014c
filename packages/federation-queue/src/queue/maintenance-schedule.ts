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
