import type { Random } from "@continuum-cache/conformance/servers";

export type Way = "tcp" | "rest";
/** What a server still has that was killed: all; all but what was written last; or a lagging replica takes its place. */
export type Durability = "always" | "everysec" | "failover";
/** The two ways to the server, each of which can be hurt by itself. */
export type Door = "a" | "b";

/** What can go wrong. */
export type FaultName =
  | "kill process"
  | "freeze process"
  | "kill all connections"
  | "freeze server"
  | "restart server"
  | "fail over"
  | "repeat requests"
  | "cut a"
  | "cut b"
  | "blackhole a"
  | "blackhole b"
  | "lose replies a"
  | "lose replies b"
  | "lose requests a"
  | "lose requests b"
  | "delay"
  | "gateway refuses"
  | "gateway hangs"
  | "gateway fails"
  | "gateway loses replies";

/** One fault, and the quiet time before it. */
export interface FaultStep {
  readonly name: FaultName;
  readonly waitMs: number;
  readonly lastsMs: number;
  /** Whom it happens to, where it happens to a process. */
  readonly process?: string;
}

const onAnyWay: Partial<Record<FaultName, number>> = {
  "kill process": 12,
  "freeze process": 4,
  "kill all connections": 3,
  "freeze server": 3,
  "cut a": 2,
  "cut b": 2,
  "blackhole a": 2,
  "blackhole b": 2,
  "lose replies a": 2,
  "lose replies b": 3,
  "lose requests a": 1,
  "lose requests b": 1,
  delay: 2,
};
const onRest: Partial<Record<FaultName, number>> = {
  "gateway refuses": 2,
  "gateway hangs": 2,
  "gateway fails": 2,
  "gateway loses replies": 3,
};

export interface FaultPlanOptions {
  readonly way: Way;
  readonly durability: Durability;
  readonly hasRepeats: boolean;
  readonly faultsMs: number;
  readonly longestFaultMs: number;
  /** How long nothing else is to happen behind a kill, now and then. */
  readonly quietMs: number;
  /** Those that can be killed and frozen, by how often. */
  readonly processes: Readonly<Record<string, number>>;
}

/** Faults until the time is over: short and long ones, close together and apart. */
export function planFaults(random: Random, options: FaultPlanOptions): FaultStep[] {
  const { way, durability, hasRepeats, faultsMs, longestFaultMs, quietMs, processes } = options;
  const weights = {
    ...onAnyWay,
    ...(way === "rest" && onRest),
    [durability === "failover" ? "fail over" : "restart server"]: 5,
    ...(hasRepeats && { "repeat requests": 4 }),
  } as Record<FaultName, number>;
  const steps: FaultStep[] = [];
  let isQuiet = false;
  for (let atMs = 0; atMs < faultsMs; ) {
    const name = random.weighted(weights);
    const waitMs = isQuiet ? quietMs : random.chance(0.2) ? random.between(0, 30) : random.between(100, 900);
    const lastsMs = Math.min(
      longestFaultMs,
      random.chance(0.5) ? random.between(20, 300) : random.between(300, longestFaultMs),
    );
    const process = name.endsWith(" process") ? random.weighted(processes) : undefined;
    steps.push({ name, waitMs, lastsMs, ...(process !== undefined && { process }) });
    isQuiet = name === "kill process" && random.chance(0.4);
    atMs += waitMs + (name === "kill process" ? 0 : lastsMs);
  }
  return steps;
}
