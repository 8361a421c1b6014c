import type { Isolate } from "./isolate.ts";
import { names } from "./operations.ts";
import type { Asked } from "./worker.ts";

/** What became of the requests that were not abandoned. */
export interface Found {
  readonly abandoned: number;
  readonly answered: number;
  /** Those that took longer than their deadline. */
  readonly late: string[];
  /** Those that were answered by the memory of the isolate, or kept there. */
  readonly local: string[];
  readonly failed: string[];
  readonly slowestMs: number;
  /** How often each counter was increased by requests that were answered, and by all. */
  readonly increments: ReadonlyMap<string, { answered: number; all: number }>;
}

export interface Plan {
  readonly abandonments: number;
  /** So many requests are under way at once. */
  readonly atOnce: number;
  readonly deadlineMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

const keys = ["a", "b", "c"];

/**
 * Sends requests of all kinds that touch the same few keys; half of them end before their operation has. The others
 * must not notice.
 */
export async function abandon(isolate: Isolate, { abandonments, atOnce, deadlineMs, random }: Plan): Promise<Found> {
  const found = {
    abandoned: 0,
    answered: 0,
    late: [] as string[],
    local: [] as string[],
    failed: [] as string[],
    slowestMs: 0,
  };
  const increments = new Map(keys.map((key) => [key, { answered: 0, all: 0 }]));
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;

  const one = async (): Promise<void> => {
    const leaves = random() < 0.5;
    const asked: Asked = {
      operation: pick(names),
      key: pick(keys),
      loadMs: Math.floor(random() * 40),
      ...(leaves && { leaveMs: Math.floor(random() ** 2 * 12) }),
    };
    const count = asked.operation === "increment" ? increments.get(asked.key) : undefined;
    if (count) count.all++;
    if (leaves) found.abandoned++;
    const answer = await isolate.ask(asked);
    if (!answer) return;
    found.answered++;
    found.slowestMs = Math.max(found.slowestMs, answer.ms);
    const what = `${asked.operation} ${asked.key} after ${answer.ms} ms`;
    if (answer.error !== undefined) found.failed.push(`${what}: ${answer.error}`);
    else if (count) count.answered++;
    if (answer.ms > deadlineMs) found.late.push(what);
    if (answer.isLocal) found.local.push(what);
  };
  const worker = async (): Promise<void> => {
    while (found.abandoned < abandonments) await one();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { ...found, increments };
}
