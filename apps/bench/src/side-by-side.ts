/** How long each contender works in each round, in milliseconds, and how many rounds there are. */
export interface RoundOptions {
  readonly rounds: number;
  readonly sliceMs: number;
}

/** How fast one was: the median of all rounds, and its ratio to the first's. */
export interface Speed {
  readonly perSecond: number;
  readonly ratio: number;
}

/** One piece of work, given a number from 0 up. */
type Work = (nth: number) => Promise<unknown>;

/**
 * Measures how often per second each piece of work is done with so many under way at once. All in turns within one run: the
 * machine's moods then fall on all of them alike.
 */
export async function sideBySide(
  works: readonly Work[],
  atOnce: number,
  { rounds, sliceMs }: RoundOptions,
): Promise<Speed[]> {
  const rates = works.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [index, work] of works.entries()) rates[index]?.push(await throughput(work, atOnce, sliceMs));
  }
  const medians = rates.map(median);
  return medians.map((perSecond) => ({ perSecond, ratio: perSecond / (medians[0] as number) }));
}

async function throughput(work: Work, atOnce: number, sliceMs: number): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + sliceMs;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < endsAt) await work(done++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return (done / (performance.now() - startedAt)) * 1_000;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0;
}
