import { cpu } from "./columns.ts";
import type { Result } from "./run-suite.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import type { Slice, Suite } from "./suite.ts";

/** How ours stands beside the best of a kind: in each round the one number by the other, then their middle. */
export interface Ratio {
  readonly kind: string;
  readonly value: Spread;
  /** Of the CPU per operation. */
  readonly cpu: number;
}

/** A line of a table. */
export interface Row {
  readonly scenario: string;
  readonly name: string;
  readonly isOurs: boolean;
  readonly value: Spread;
  /** Medians, in the order of the suite's columns. */
  readonly columns: readonly number[];
  /** Of ours alone. */
  readonly ratios: readonly Ratio[];
}

/** The kinds that ours is put beside, in the order in which the suite has them. */
export const kindsOf = (suite: Suite): string[] => [
  ...new Set(suite.contenders.map(({ kind }) => kind).filter((kind) => kind !== ours)),
];

const ours = "ours";

export function summarize(suite: Suite, results: readonly Result[]): Row[] {
  return results.map((result) => {
    const { scenario, contender, slices } = result;
    const isOurs = contender.kind === ours;
    const peers = results.filter((other) => other.scenario === scenario);
    return {
      scenario,
      name: contender.name,
      isOurs,
      value: spreadOf(slices.map(suite.value.of)),
      columns: suite.columns.map((column) => spreadOf(slices.map(column.of)).median),
      ratios: isOurs ? kindsOf(suite).flatMap((kind) => ratioTo(suite, result, peers, kind)) : [],
    };
  });
}

function ratioTo(suite: Suite, { slices }: Result, peers: readonly Result[], kind: string): Ratio[] {
  const [best] = peers
    .filter((peer) => peer.contender.kind === kind)
    .map((peer) => ({ slices: peer.slices, median: spreadOf(peer.slices.map(suite.value.of)).median }))
    .sort((one, other) => (suite.value.isMoreBetter ? other.median - one.median : one.median - other.median));
  if (!best) return [];
  const ratios = (of: (slice: Slice) => number): Spread =>
    spreadOf(slices.map((slice, round) => of(slice) / of(best.slices[round] as Slice)));
  return [{ kind, value: ratios(suite.value.of), cpu: ratios(cpu.of).median }];
}
