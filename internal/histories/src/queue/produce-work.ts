import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "@continuum-cache/conformance/servers";
import { isTransportError } from "@continuum-cache/core";
import { textOf } from "../checking/text.ts";
import { untilSeen } from "../fleet/patience.ts";
import type { Records } from "../fleet/serve.ts";
import { drawBehavior, type MessageData } from "./message.ts";
import { ms, openQueue } from "./open-queue.ts";
import type { PushRecord, QueueRecord } from "./record.ts";
import type { ProduceTask, QueueApi } from "./tasks.ts";

const lanes = 3;
const priorities = { high: 3, normal: 4, low: 3 } as const;
type Priority = keyof typeof priorities;

/** A message to push. */
interface Out {
  readonly name: string;
  readonly priority: Priority;
  readonly isNamed?: true;
  readonly delayMs?: number;
}

/**
 * Pushes on all lanes until it is told to stop: one by one and in batches, some with a name of their own, some
 * delayed.
 */
export function produceWork(task: ProduceTask, records: Records<QueueRecord>): QueueApi {
  const { process, seed, perSecond, setup } = task;
  const { queue, close } = openQueue(task, records);
  let count = 0;
  let isOver = false;

  const dataOf = (name: string, random: Random): MessageData => ({
    name,
    behavior: drawBehavior(random, setup.leaseMs),
    text: textOf(name),
  });
  const write = (out: Out, startMs: number, outcome: PushRecord["outcome"]): void => {
    const { name, priority, isNamed, delayMs } = out;
    const times = { startMs, endMs: Date.now(), outcome, priority };
    const details = { ...(isNamed && { isNamed }), ...(delayMs !== undefined && { delayMs }) };
    records.write({ kind: "push", process, id: name, ...times, ...details });
  };

  const push = async (outs: readonly Out[], random: Random, mayWait: boolean): Promise<void> => {
    const startMs = Date.now();
    const optionsOf = ({ name, priority, isNamed, delayMs }: Out) => ({
      priority,
      ...(isNamed && { id: name }),
      ...(delayMs !== undefined && { delay: ms(delayMs) }),
    });
    const wait = mayWait ? {} : { fallback: false };
    try {
      const [first] = outs;
      const pushed =
        outs.length === 1 && first
          ? [await queue.push(dataOf(first.name, random), { ...optionsOf(first), ...wait })]
          : await queue.pushMany(
              outs.map((out) => ({ event: dataOf(out.name, random), ...optionsOf(out) })),
              wait,
            );
      for (const [at, out] of outs.entries()) {
        const { pending, duplicate } = pushed[at] ?? {};
        write(out, startMs, duplicate ? "duplicate" : pending ? "pending" : "stored");
      }
    } catch (error) {
      // Of a batch that fails some may have been taken.
      const isNone = outs.length === 1 && isTransportError(error) && error.delivery === "none";
      for (const out of outs) write(out, startMs, isNone ? "none" : "unknown");
    }
  };

  const draw = (random: Random): Out => {
    const priority = random.weighted(priorities);
    const kind = random.weighted({ plain: 16, named: 2, delayed: 2 });
    // Producers push the same names at about the same time.
    if (kind === "named") return { name: `named/${Math.floor(count / 5)}`, priority, isNamed: true };
    const name = `${process}/${count++}`;
    return { name, priority, ...(kind === "delayed" && { delayMs: random.between(20, 1_000) }) };
  };
  const run = async (_: unknown, lane: number): Promise<void> => {
    const random = createRandom(seed, lane);
    while (!isOver) {
      const size = random.chance(0.7) ? 1 : random.chance(0.8) ? random.between(2, 20) : random.between(20, 60);
      await push(
        Array.from({ length: size }, () => draw(random)),
        random,
        random.chance(0.9),
      );
      await sleep((random.next() * 2 * lanes * size * 1_000) / perSecond);
    }
  };

  const running = Promise.all(Array.from({ length: lanes }, run));
  const drain = async (): Promise<void> => {
    isOver = true;
    await running;
    const pending = await untilSeen(
      () => queue.pending,
      (left) => left === 0,
    );
    records.write({ kind: "drain", process, pending, atMs: Date.now() });
  };
  return {
    drain,
    async flood() {
      const random = createRandom(seed, lanes);
      const ofPriority = (priority: Priority, amount: number): Out[] =>
        Array.from({ length: amount }, () => ({ name: `${process}/${count++}`, priority }));
      await push(ofPriority("low", Math.ceil(task.flood / 8)), random, true);
      await push(ofPriority("normal", Math.ceil(task.flood / 4)), random, true);
      for (let left = task.flood; left > 0; left -= 50)
        await push(ofPriority("high", Math.min(50, left)), random, true);
      await drain();
    },
    async stop() {
      isOver = true;
      await running;
      const startMs = Date.now();
      await close();
      const deadlineMs = setup.timeoutMs * 2;
      records.write({ kind: "call", process, what: "close", startMs, endMs: Date.now(), deadlineMs });
    },
  };
}
