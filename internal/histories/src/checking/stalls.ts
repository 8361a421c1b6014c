import type { StallRecord } from "./records.ts";

/**
 * Measures for how long this process was not given a processor, which no deadline of its own can be blamed for. A
 * timer that is late by more than its period shows by how much everything else in the process was late.
 */
export interface StallMeter {
  /** The sum of all delays so far, including one that is going on, in milliseconds. */
  totalMs(): number;
  /** The longest delay since a time that `now` returned. */
  longestMsSince(markMs: number): number;
  now(): number;
  stop(): void;
}

/** Delays of some milliseconds at least are remembered, so many of the latest. */
const remembered = { delays: 10_000, fromMs: 10 };

/** @param onStall - Is called after each delay of `remembered.fromMs` or more. */
export function startStallMeter(onStall: (ms: number) => void = () => {}, periodMs = 5): StallMeter {
  let stalledMs = 0;
  let dueMs = performance.now() + periodMs;
  const latenessMs = (): number => Math.max(0, performance.now() - dueMs - 1);
  let delays: { readonly atMs: number; readonly ms: number }[] = [];
  const timer = setInterval(() => {
    const ms = latenessMs();
    stalledMs += ms;
    if (ms >= remembered.fromMs) {
      delays.push({ atMs: performance.now(), ms });
      onStall(ms);
    }
    if (delays.length > 2 * remembered.delays) delays = delays.slice(-remembered.delays);
    dueMs = performance.now() + periodMs;
  }, periodMs);
  timer.unref();
  return {
    totalMs: () => stalledMs + latenessMs(),
    longestMsSince: (markMs) =>
      delays.reduce((longest, { atMs, ms }) => (atMs >= markMs ? Math.max(longest, ms) : longest), latenessMs()),
    now: () => performance.now(),
    stop: () => clearInterval(timer),
  };
}

/** Stall records hold delays of at least this length: shorter ones are covered by the slack of each rule. */
export const recordedFromMs = 50;

/**
 * For how long processes did not run. Bounds on time leave this out, so no verdict depends on the speed of the
 * machine.
 */
export interface Stalls {
  /**
   * How much of a time at least one process stood still, the runner with its proxies included; or one process alone.
   */
  betweenMs(fromMs: number, toMs: number, process?: string): number;
}

export function readStalls(records: readonly StallRecord[]): Stalls {
  const byProcess = new Map<string, StallRecord[]>();
  for (const record of records) byProcess.set(record.process, [...(byProcess.get(record.process) ?? []), record]);
  const spans = new Map([...byProcess].map(([process, own]) => [process, joined(own)]));
  const all = joined(records);
  return {
    betweenMs(fromMs, toMs, process) {
      let sumMs = 0;
      for (const [startMs, endMs] of process === undefined ? all : (spans.get(process) ?? [])) {
        sumMs += Math.max(0, Math.min(endMs, toMs) - Math.max(startMs, fromMs));
      }
      return sumMs;
    },
  };
}

/** Stalls as spans of time that do not overlap. */
function joined(records: readonly StallRecord[]): (readonly [startMs: number, endMs: number])[] {
  const spans: [number, number][] = [];
  const sorted = records.map(({ atMs, ms }) => [atMs - ms, atMs] as const).sort(([one], [other]) => one - other);
  for (const [startMs, endMs] of sorted) {
    const last = spans.at(-1);
    if (last && startMs <= last[1]) last[1] = Math.max(last[1], endMs);
    else spans.push([startMs, endMs]);
  }
  return spans;
}
