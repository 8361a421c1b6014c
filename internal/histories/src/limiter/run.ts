import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createRandom, startRedisServer } from "@continuum-cache/conformance/servers";
import { type CommonRecord, recordsOf } from "../checking/records.ts";
import { readRecords } from "../fleet/record-file.ts";
import { createWorkerPool, type Remote } from "../fleet/worker-pool.ts";
import { addressAt, startGateway, type Way } from "../site/address.ts";
import type { Promises } from "./check-subject.ts";
import { check, type Verdict } from "./checker.ts";
import type { Token } from "./client.ts";
import { type ContenderName, factsOf } from "./clients/catalog.ts";
import type { Subject } from "./contender.ts";
import { machineClockOffsetUs } from "./machine-clock.ts";
import type { LimitRecord } from "./record.ts";
import { subjects } from "./schedule.ts";
import type { LimiterApi, LimiterTask } from "./worker-process.ts";

export interface LimiterOptions {
  readonly seed: number;
  readonly processes: number;
  /** In all processes together. */
  readonly decisions: number;
  readonly way: Way;
}

export interface LimiterRun {
  readonly verdict: Verdict;
  readonly records: readonly LimitRecord[];
}

/** Times of receipts are kept one by one up to this limit, and rounded up to this part of the window above. */
const [largestExactLimit, partsOfWindow] = [2_000, 256];
/** Our limiters know the server's time as exactly as this, and take the latest that it may be. */
export const inexactUs = ({ windowMs }: Subject): number => Math.max(2_000, windowMs * 10);
/** A process is asked for so many decisions at a time, so that one that hangs is found. */
const mostAtATime = 5_000;

const promisesOf = (name: ContenderName): Promises => ({
  roundedUs(subject) {
    if (!factsOf(name).hasReceipts) return 0;
    const isRounded = name !== "ours-log" && subject.limit > largestExactLimit;
    return inexactUs(subject) + (isRounded ? Math.floor((subject.windowMs * 1_000) / partsOfWindow) : 0);
  },
  denyCacheUs: 5_000_000,
});

/**
 * Has processes decide on one real Redis at random, and checks what they recorded.
 *
 * @param folder - For their records.
 */
export async function runLimiter(name: ContenderName, options: LimiterOptions, folder: string): Promise<LimiterRun> {
  const { seed, processes, decisions, way } = options;
  mkdirSync(folder, { recursive: true });
  const redis = await startRedisServer();
  const gateway = await startGateway(way, redis.url);
  const pool = createWorkerPool<LimiterTask, LimiterApi>(join(import.meta.dirname, "worker-process"));
  try {
    const clockOffsetUs = machineClockOffsetUs();
    const offered = subjects.flatMap((subject, at) => (factsOf(name).offers(subject) ? [at] : []));
    const tasks = Array.from({ length: processes }, (_, process) => ({
      process: `${process}`,
      file: join(folder, `${name}-${seed}-${process}.jsonl`),
      run: { seed, process, offered, clockOffsetUs },
      contender: name,
      server: addressAt(way, gateway?.port ?? redis.port),
    }));
    const random = createRandom(seed, processes);
    const sessions: Remote<LimiterApi>[] = [];
    /** Another process gets the token; one that has ended needs none. */
    const pass = (from: number, token: Token): void => {
      const to = (from + random.between(1, Math.max(1, processes - 1))) % processes;
      sessions[to]?.call("take", token).catch(() => {});
    };
    const workers = await Promise.all(tasks.map(() => pool.take()));
    for (const [at, task] of tasks.entries()) {
      const session = await workers[at]?.open(task, (token) => pass(at, token as Token));
      if (session) sessions.push(session);
    }
    const decide = async (session: Remote<LimiterApi>): Promise<void> => {
      for (let left = Math.ceil(decisions / processes); left > 0; left -= mostAtATime) {
        await session.call("run", Math.min(left, mostAtATime));
      }
    };
    await Promise.all(sessions.map(decide));
    await Promise.all(sessions.map((session) => session.call("stop")));
    const all = tasks.flatMap(({ file }) => readRecords<LimitRecord | CommonRecord>(file));
    const of = recordsOf(all);
    const troubles = [...of("trouble").map(({ what }) => what), ...pool.takeUnhandled()];
    if (troubles.length > 0) throw new Error(`Expected no unhandled error in a process, got: ${troubles.join("\n")}`);
    const records = [...of("call"), ...of("refund"), ...of("reset")];
    return { verdict: check(subjects, records, promisesOf(name)), records };
  } finally {
    await pool.close();
    await gateway?.close();
    await redis.close();
  }
}
