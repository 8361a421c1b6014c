import { createRandom, type Random } from "@continuum-cache/conformance/servers";
import type { Subject } from "./contender.ts";

/** One thing that a lane of a process does. */
export type Step =
  /**
   * So many calls at once; with `boundary` around the next full multiple of the window, so many milliseconds off it.
   */
  | {
      readonly kind: "calls";
      readonly subject: number;
      readonly costs: readonly number[];
      readonly boundaryMs?: number;
    }
  /** Gives back a call that was accepted here or elsewhere, and keeps its receipt for a second time or not. */
  | { readonly kind: "refund"; readonly from: "own" | "others"; readonly nth: number; readonly keeps: boolean }
  | { readonly kind: "reset"; readonly subject: number }
  | { readonly kind: "pause"; readonly ms: number };

const limits = [1, 3, 10, 100, 700, 2_000, 5_000, 20_000] as const;
const windowsMs = [200, 500, 1_000, 2_000] as const;

/** All subjects, each limit with each window. */
export const subjects: readonly Subject[] = limits.flatMap((limit) =>
  windowsMs.map((windowMs) => ({ id: `user-${limit}-${windowMs}`, limit, windowMs })),
);

/** Of so many periods one is quiet: keys expire, windows empty. */
const quietOneIn = 4;

/** Whether there are calls for a subject at this time: all processes agree on it. */
export function isAwake(seed: number, subject: number, nowMs: number): boolean {
  const periodMs = 2 * (subjects[subject]?.windowMs ?? 0) + 1_500;
  return !createRandom(seed, subject, Math.floor(nowMs / periodMs)).chance(1 / quietOneIn);
}

/** The steps of one lane, without end. Only subjects that are offered get calls. */
export function* createSchedule(
  random: Random,
  offered: readonly number[],
  isNow: (subject: number) => boolean,
): Generator<Step, never> {
  for (;;) {
    const subject = random.pick(offered);
    const what = random.next();
    if (what < 0.0004) yield { kind: "reset", subject };
    else if (what < 0.08) yield refund(random, "own");
    else if (what < 0.12) yield refund(random, "others");
    else if (what < 0.13) yield { kind: "pause", ms: random.between(1, 300) };
    else if (isNow(subject) && random.chance(eagerness(subject))) {
      const costs = Array.from({ length: random.chance(0.9) ? 1 : random.between(2, 60) }, () =>
        costOf(random, subject),
      );
      const isAtBoundary = costs.length > 1 && random.chance(0.3);
      yield { kind: "calls", subject, costs, ...(isAtBoundary && { boundaryMs: random.between(-3, 3) }) };
    }
  }
}

/** Subjects with a small limit are asked for less often, so that not nearly everything is refused. */
const eagerness = (subject: number): number => Math.min(1, 0.1 + (subjects[subject]?.limit ?? 0) / 700);

const refund = (random: Random, from: "own" | "others"): Step => ({
  kind: "refund",
  from,
  nth: random.between(1, 40),
  keeps: random.chance(0.15),
});

/** Mostly small, seldom all of the limit: a few hundred calls fill a large window. */
function costOf(random: Random, subject: number): number {
  const limit = subjects[subject]?.limit ?? 1;
  const share = random.next();
  const most = share < 0.8 ? Math.ceil(limit / 500) : share < 0.994 ? Math.ceil(limit / 50) : limit;
  return random.between(1, most);
}
