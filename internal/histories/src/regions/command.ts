import { parseArgs } from "node:util";
import { wholeNumber } from "../whole-number.ts";
import { type RegionsResult, runRegions } from "./run.ts";

/**
 * `bench federation-regions [--partition 120] [--calm 10] [--rate 50] [--seed 1]`: three instances in two regions, which are
 * parted for so many seconds and joined again, over TCP and REST. Exit code 1 when they end up with different states, or an
 * event is not there once on each side.
 */
export async function federationRegions(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      partition: { type: "string", default: "120" },
      calm: { type: "string", default: "10" },
      rate: { type: "string", default: "50" },
      seed: { type: "string", default: "1" },
    },
  });
  const options = {
    partitionMs: wholeNumber("partition", values.partition) * 1_000,
    calmMs: wholeNumber("calm", values.calm) * 1_000,
    perSecond: wholeNumber("rate", values.rate),
    seed: wholeNumber("seed", values.seed),
  };
  const results = await Promise.all(
    (["tcp", "rest"] as const).map(async (way) => [way, await runRegions({ ...options, way })] as const),
  );
  console.log(`Three instances in two regions, parted for ${values.partition} s\n\n${regionsTable(results)}\n`);
  const isRight = results.every(
    ([, { isOneState, copies }]) =>
      isOneState && copies.every(({ appended, lengths }) => lengths.every((length) => length === appended)),
  );
  if (!isRight) process.exitCode = 1;
}

function regionsTable(results: readonly (readonly [way: string, result: RegionsResult])[]): string {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const line = (title: string, of: (result: RegionsResult) => string | number): string =>
    row([title, ...results.map(([, result]) => of(result))]);
  const quantile = (sorted: readonly number[], share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return [
    row(["", ...results.map(([way]) => way)]),
    row(["---", ...results.map(() => "---:")]),
    line("events appended", ({ copies }) => copies.reduce((sum, { appended }) => sum + appended, 0)),
    ...[0, 1].map((side) =>
      line(`XLEN of all streams, ${["east", "west"][side]}`, ({ copies }) =>
        copies.reduce((sum, { lengths }) => sum + (lengths[side] ?? 0), 0),
      ),
    ),
    line("held back by the partition", ({ heldBack }) => heldBack),
    line("from its end to one state, ms", ({ convergedMs }) => Math.round(convergedMs)),
    line("from the last change to one state, ms", ({ settledMs }) => Math.round(settledMs)),
    line(
      "from append to the other region, ms: p50, p99",
      ({ delaysMs }) => `${quantile(delaysMs, 0.5)}, ${quantile(delaysMs, 0.99)}`,
    ),
    line("one state", ({ isOneState }) => (isOneState ? "yes" : "no")),
  ].join("\n");
}
