import type { Contender } from "../contender.ts";
import { inFlight } from "../in-flight.ts";
import type { Subject } from "../subject.ts";

/** A limiter at work: its first is what the others of its group are compared with. */
export interface Racer {
  readonly title: string;
  readonly contender: Contender;
}

/** Whom is decided on. */
export interface Crowd {
  readonly name: string;
  readonly subjects: readonly Subject[];
  /** Whether they have used up their limits before. */
  readonly isExhausted: boolean;
}

/** How long each works in each round, in milliseconds, and how many rounds there are. */
export interface RaceOptions {
  readonly rounds: number;
  readonly sliceMs: number;
}

/** One line of the result: decisions per second, the median of all rounds, and the ratio to the first of the group. */
export interface RaceRow {
  readonly group: string;
  readonly crowd: string;
  readonly inFlight: number;
  readonly title: string;
  readonly perSecond: number;
  readonly ratio: number;
}

const widths = [1, 64] as const;

/** All in turns within one run: the machine's moods then fall on all of them alike. */
export async function race(
  group: string,
  racers: readonly Racer[],
  crowd: Crowd,
  { rounds, sliceMs }: RaceOptions,
): Promise<RaceRow[]> {
  for (const { contender } of racers) await prepare(contender, crowd);
  const rows: RaceRow[] = [];
  for (const width of widths) {
    const rates = racers.map(() => [] as number[]);
    for (let round = 0; round < rounds; round++) {
      for (const [at, { contender }] of racers.entries()) {
        rates[at]?.push(await rate(contender, crowd.subjects, width, sliceMs));
      }
    }
    const medians = rates.map(median);
    racers.forEach(({ title }, at) => {
      const perSecond = medians[at] as number;
      const ratio = perSecond / (medians[0] as number);
      rows.push({ group, crowd: crowd.name, inFlight: width, title, perSecond, ratio });
    });
  }
  return rows;
}

async function prepare(contender: Contender, { subjects, isExhausted }: Crowd): Promise<void> {
  const times = isExhausted ? (subjects[0]?.limit ?? 0) + 1 : 1;
  await inFlight(times * subjects.length, 64, (nth) => contender.limit(subjects[nth % subjects.length] as Subject, 1));
}

/** Decisions per second with a fixed number in flight. */
async function rate(
  contender: Contender,
  subjects: readonly Subject[],
  width: number,
  sliceMs: number,
): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + sliceMs;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < endsAt) await contender.limit(subjects[done++ % subjects.length] as Subject, 1);
  };
  await Promise.all(Array.from({ length: width }, lane));
  return (done / (performance.now() - startedAt)) * 1_000;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
