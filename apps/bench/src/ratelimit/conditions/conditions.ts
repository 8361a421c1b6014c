import type { Subject } from "@continuum-cache/histories/limiter";

/** Under what circumstances processes share one limit. */
export interface Condition {
  readonly name: string;
  readonly processes: number;
  readonly limit: number;
  readonly windowMs: Subject["windowMs"];
  /** How long an answer takes to come, in milliseconds. */
  readonly distanceMs: number;
  /** Processes beside them that do nothing but keep the CPU busy. */
  readonly busyLoops: number;
  /** Redis stands still, or refuses connections, for so long, and goes on for so long, over and over. */
  readonly flapping?: { readonly awayMs: number; readonly backMs: number; readonly refuses?: true };
  /** Redis stands still when the processes start, for so long. */
  readonly startsAwayMs?: number;
  /** Whether the limiters are told how many processes there are. */
  readonly tellsProcesses: boolean;
}

const usual = { windowMs: 1_000, distanceMs: 0, busyLoops: 0, tellsProcesses: false } as const;

/** In none of them may any window hold more than the limit. */
export const conditions: readonly Condition[] = [
  { ...usual, name: "10 fresh processes", processes: 10, limit: 10, windowMs: 60_000 },
  { ...usual, name: "10 fresh processes, 300 ms away", processes: 10, limit: 10, windowMs: 60_000, distanceMs: 300 },
  { ...usual, name: "10 fresh processes, Redis away", processes: 10, limit: 10, startsAwayMs: 1_500 },
  { ...usual, name: "4 processes, 300 ms away", processes: 4, limit: 10, distanceMs: 300 },
  { ...usual, name: "4 processes that start together", processes: 4, limit: 100 },
  { ...usual, name: "8 processes, two busy loops", processes: 8, limit: 100, busyLoops: 2 },
  {
    ...usual,
    name: "3 processes, Redis away for 1.2 s, back for 150 ms",
    processes: 3,
    limit: 12,
    flapping: { awayMs: 1_200, backMs: 150 },
    tellsProcesses: true,
  },
  {
    ...usual,
    name: "3 processes, Redis away for 400 ms, back for 600 ms",
    processes: 3,
    limit: 12,
    flapping: { awayMs: 400, backMs: 600 },
    tellsProcesses: true,
  },
  {
    ...usual,
    name: "3 processes, Redis away for 2 s, back for 6 s",
    processes: 3,
    limit: 30,
    flapping: { awayMs: 2_000, backMs: 6_000 },
    tellsProcesses: true,
  },
  {
    ...usual,
    name: "3 processes, connections refused for 100 ms, possible for 50 ms",
    processes: 3,
    limit: 12,
    flapping: { awayMs: 100, backMs: 50, refuses: true },
    tellsProcesses: true,
  },
  {
    ...usual,
    name: "3 processes, connections refused for 400 ms, possible for 600 ms",
    processes: 3,
    limit: 12,
    flapping: { awayMs: 400, backMs: 600, refuses: true },
    tellsProcesses: true,
  },
];
