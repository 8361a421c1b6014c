import type { OutageDecision } from "./demand.ts";
import type { StrategyName } from "./strategies.ts";

/** How one strategy got through one fault. */
export interface OutageRow {
  readonly fault: string;
  readonly strategy: StrategyName;
  /** The most accepted for one id in any window that ends in the phase. */
  readonly worst: Readonly<Record<Phase, number>>;
  /** Accepted in a window on average while Redis was away, by id. */
  readonly duringPerWindow: number;
  /** How long decisions took that were asked for while Redis was away, in milliseconds. */
  readonly tookMs: { readonly p99: number; readonly max: number };
  /** Calls that got no decision. */
  readonly failed: number;
}

type Phase = "before" | "during" | "after";

interface Times {
  readonly windowMs: number;
  readonly leaveAtMs: number;
  readonly backAtMs: number;
}

export function summarize(
  name: Pick<OutageRow, "fault" | "strategy">,
  decisions: readonly OutageDecision[],
  { windowMs, leaveAtMs, backAtMs }: Times,
): OutageRow {
  const accepted = new Map<string, number[]>();
  for (const { id, atMs, outcome } of decisions) {
    if (outcome === "allowed") accepted.set(id, [...(accepted.get(id) ?? []), atMs]);
  }
  const phaseOf = (atMs: number): Phase => (atMs < leaveAtMs ? "before" : atMs < backAtMs ? "during" : "after");
  const worst = { before: 0, during: 0, after: 0 };
  let during = 0;
  for (const times of accepted.values()) {
    times.sort((one, other) => one - other);
    let from = 0;
    for (const [at, timeMs] of times.entries()) {
      while ((times[from] as number) <= timeMs - windowMs) from++;
      const phase = phaseOf(timeMs);
      worst[phase] = Math.max(worst[phase], at - from + 1);
      if (phase === "during") during++;
    }
  }
  const took = decisions
    .filter(({ atMs, tookMs }) => phaseOf(atMs - tookMs) === "during")
    .map(({ tookMs }) => tookMs)
    .sort((one, other) => one - other);
  const windowsAway = (backAtMs - leaveAtMs) / windowMs;
  return {
    ...name,
    worst,
    duringPerWindow: during / windowsAway / Math.max(1, accepted.size),
    tookMs: { p99: took[Math.floor(took.length * 0.99)] ?? 0, max: took.at(-1) ?? 0 },
    failed: decisions.filter(({ outcome }) => outcome === "failed").length,
  };
}

export function outageTable(rows: readonly OutageRow[]): string {
  return [
    "| Redis is | meanwhile | worst before | during | after | a window during | p99, ms | max, ms | no decision |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...rows.map(({ fault, strategy, worst, duringPerWindow, tookMs, failed }) => {
      const { before, during, after } = worst;
      const took = `${tookMs.p99.toFixed(0)} | ${tookMs.max.toFixed(0)}`;
      return `| ${fault} | ${strategy} | ${before} | ${during} | ${after} | ${duringPerWindow.toFixed(0)} | ${took} | ${failed} |`;
    }),
  ].join("\n");
}
