import type { Random } from "@continuum-cache/conformance/servers";

/** What can go wrong. Those with a `process` happen to one that listens. */
export type FaultName =
  | "kill subscriber connections"
  | "kill all connections"
  | "freeze server"
  | "restart server"
  | "flush"
  | "cut subscribers"
  | "cut publishers"
  | "blackhole subscribers"
  | "blackhole publishers"
  | "half-open replies"
  | "half-open requests"
  | "delay subscribers"
  | "trickle subscribers"
  | "freeze subscriber"
  | "overflow subscriber"
  | "kill subscriber"
  | "end streams"
  | "truncate streams"
  | "mute streams"
  | "cut mid-line"
  | "gateway refuses"
  | "gateway hangs"
  | "gateway fails"
  | "gateway loses replies";

/** One fault, and the quiet time before it. */
export interface FaultStep {
  readonly name: FaultName;
  readonly waitMs: number;
  readonly lastsMs: number;
  readonly process?: string;
}

const onAnyWay: Partial<Record<FaultName, number>> = {
  "kill subscriber connections": 6,
  "kill all connections": 3,
  "freeze server": 4,
  "restart server": 4,
  flush: 1,
  "cut subscribers": 5,
  "cut publishers": 3,
  "blackhole subscribers": 4,
  "blackhole publishers": 2,
  "half-open replies": 3,
  "half-open requests": 2,
  "delay subscribers": 2,
  "trickle subscribers": 1,
  "freeze subscriber": 4,
  "overflow subscriber": 2,
  "kill subscriber": 4,
};

const onRest: Partial<Record<FaultName, number>> = {
  "end streams": 4,
  "truncate streams": 5,
  "mute streams": 4,
  "cut mid-line": 4,
  "gateway refuses": 2,
  "gateway hangs": 2,
  "gateway fails": 2,
  "gateway loses replies": 2,
};

export interface FaultPlanOptions {
  readonly way: "tcp" | "rest";
  readonly faultsMs: number;
  readonly longestFaultMs: number;
  readonly processes: readonly string[];
}

/** Faults until the time is over: short and long ones, close together and apart. */
export function planFaults(random: Random, options: FaultPlanOptions): FaultStep[] {
  const { way, faultsMs, longestFaultMs, processes } = options;
  const weights = way === "rest" ? { ...onAnyWay, ...onRest } : onAnyWay;
  const steps: FaultStep[] = [];
  for (let atMs = 0; atMs < faultsMs; ) {
    const name = random.weighted(weights as Record<FaultName, number>);
    const waitMs = random.chance(0.2) ? random.between(0, 30) : random.between(100, 900);
    const lastsMs = Math.min(
      longestFaultMs,
      random.chance(0.5) ? random.between(20, 300) : random.between(300, longestFaultMs),
    );
    const process = name === "overflow subscriber" ? "slow" : random.pick(processes);
    steps.push({ name, waitMs, lastsMs, ...(name.endsWith(" subscriber") && { process }) });
    atMs += waitMs + lastsMs;
  }
  return steps;
}
