import { type RoundOptions, type Speed, sideBySide } from "../../side-by-side.ts";
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

/** One line of the result, in decisions. */
export interface RaceRow extends Speed {
  readonly group: string;
  readonly crowd: string;
  readonly inFlight: number;
  readonly title: string;
}

const widths = [1, 64] as const;

export async function race(
  group: string,
  racers: readonly Racer[],
  { name, subjects, isExhausted }: Crowd,
  options: RoundOptions,
): Promise<RaceRow[]> {
  for (const { contender } of racers) await prepare(contender, subjects, isExhausted);
  const works = racers.map(({ contender }) => (nth: number) => {
    return contender.limit(subjects[nth % subjects.length] as Subject, 1);
  });
  const rows: RaceRow[] = [];
  for (const width of widths) {
    const speeds = await sideBySide(works, width, options);
    for (const [index, { title }] of racers.entries()) {
      rows.push({ group, crowd: name, inFlight: width, title, ...(speeds[index] as Speed) });
    }
  }
  return rows;
}

async function prepare(contender: Contender, subjects: readonly Subject[], isExhausted: boolean): Promise<void> {
  const times = isExhausted ? (subjects[0]?.limit ?? 0) + 1 : 1;
  await inFlight(times * subjects.length, 64, (nth) => contender.limit(subjects[nth % subjects.length] as Subject, 1));
}
