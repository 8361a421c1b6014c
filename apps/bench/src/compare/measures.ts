import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Meter } from "./meter.ts";
import type { Measure, Slice } from "./suite.ts";

/** How a work is counted. */
interface Counting {
  /** Operations in one work. @default 1 */
  readonly operations?: number;
  /** Works between two looks at the clock: more than 1 where a look takes as long as the work. @default 1 */
  readonly clockEvery?: number;
}

/** Repeats a work, with so many of them in flight at once. The work is given a number from 0 up. */
export function inFlight(
  lanes: number,
  work: (nth: number) => unknown,
  { operations = 1, clockEvery = 1 }: Counting = {},
): Measure {
  let next = 0;
  return (sliceMs, meter) =>
    timed(meter, async () => {
      const endsAt = performance.now() + sliceMs;
      const first = next;
      const lane = async (): Promise<void> => {
        do {
          for (let left = clockEvery; left > 0; left--) await work(next++);
        } while (performance.now() < endsAt);
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      return (next - first) * operations;
    });
}

/** Where what the works return is put, so that no compiler leaves them out. */
const sink: { last?: unknown } = {};

/** Repeats a work that needs no waiting. */
export function inTurn(work: (nth: number) => unknown): Measure {
  const clockEvery = 16;
  let next = 0;
  return (sliceMs, meter) =>
    timed(meter, async () => {
      const endsAt = performance.now() + sliceMs;
      const first = next;
      do {
        for (let left = clockEvery; left > 0; left--) sink.last = work(next++);
      } while (performance.now() < endsAt);
      return next - first;
    });
}

/** What is measured once something has been prepared, which is not measured. */
export interface Prepared {
  /** @returns how many operations it was. */
  run(): Promise<number>;
  /** After the measurement. @returns further numbers of it. */
  end?(): Promise<Partial<Slice> | undefined>;
}

/** Prepares and runs by turns until the runs have taken a slice's time. */
export function prepared(prepare: () => Promise<Prepared>): Measure {
  return async (sliceMs, meter) => {
    let total: Slice | undefined;
    do {
      const { run, end } = await prepare();
      const slice = await timed(meter, run);
      total = sum(total, { ...slice, ...(await end?.()) });
    } while (total.wallMs < sliceMs);
    return total;
  };
}

async function timed(meter: Meter, work: () => Promise<number>): Promise<Slice> {
  await meter.start();
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const operations = await work();
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  return { operations, wallMs, cpuUs: user + system, ...(await meter.stop()) };
}

/** Longest times are not added up. */
function sum(one: Slice | undefined, other: Slice): Slice {
  if (!one) return other;
  const result: { -readonly [Name in keyof Slice]: Slice[Name] } = { ...one };
  for (const name of Object.keys(other) as (keyof Slice)[]) {
    const [before = 0, value = 0] = [one[name], other[name]];
    result[name] = name.startsWith("longest") ? Math.max(before, value) : before + value;
  }
  return result;
}

/** Watches the event loop of this process: `stop` says for how long it did nothing else at most, in milliseconds. */
export function watchEventLoop(): { stop(): number } {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  return {
    stop() {
      histogram.disable();
      return histogram.max / 1e6;
    },
  };
}
