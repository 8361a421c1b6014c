import type { Random } from "@continuum-cache/conformance/servers";

import type { Door } from "../site/site.ts";
/** What can go wrong. */
export type FaultName =
  | "kill process"
  | "freeze process"
  | "overflow process"
  | "kill subscriber connections"
  | "kill all connections"
  | "freeze server"
  | "restart server"
  | "fail over"
  | "flush"
  | "repeat requests"
  | `${"cut" | "blackhole" | "lose replies" | "lose requests"} ${Door}`
  | "cut mid-line"
  | "delay"
  | "trickle"
  | "end streams"
  | "truncate streams"
  | "mute streams"
  | "gateway refuses"
  | "gateway hangs"
  | "gateway fails"
  | "gateway loses replies";

/** One fault, and the quiet time before it. */
export interface FaultStep {
  readonly name: FaultName;
  readonly waitMs: number;
  readonly lastsMs: number;
  /** The place of the process, where the fault happens to one. */
  readonly process?: string;
}

/** How often each fault comes, beside the others. */
export type FaultWeights = Readonly<Partial<Record<FaultName, number>>>;

export interface FaultPlanOptions {
  readonly weights: FaultWeights;
  /** How long there are faults, and how long one lasts at most. */
  readonly faultsMs: number;
  readonly longestFaultMs: number;
  /** After some kills nothing else happens for so long. @default 0 */
  readonly quietMs?: number;
  /** The places whose processes can be killed and frozen, and how often. */
  readonly processes: Readonly<Record<string, number>>;
  /** The place whose process cannot keep up when it overflows. */
  readonly slowProcess?: string;
}

/** Draws faults until the time is over: short and long ones, close together and apart. */
export function planFaults(random: Random, options: FaultPlanOptions): FaultStep[] {
  const { weights, faultsMs, longestFaultMs, quietMs = 0, processes, slowProcess } = options;
  const steps: FaultStep[] = [];
  let isQuiet = false;
  for (let atMs = 0; atMs < faultsMs; ) {
    const name = random.weighted(weights as Record<FaultName, number>);
    const waitMs = isQuiet ? quietMs : random.chance(0.2) ? random.between(0, 30) : random.between(100, 900);
    const lastsMs = Math.min(
      longestFaultMs,
      random.chance(0.5) ? random.between(20, 300) : random.between(300, longestFaultMs),
    );
    const drawn = name.endsWith(" process") ? random.weighted(processes) : undefined;
    const process = name === "overflow process" ? slowProcess : drawn;
    steps.push({ name, waitMs, lastsMs, ...(process !== undefined && { process }) });
    isQuiet = quietMs > 0 && name === "kill process" && random.chance(0.4);
    atMs += waitMs + (name === "kill process" ? 0 : lastsMs);
  }
  return steps;
}
