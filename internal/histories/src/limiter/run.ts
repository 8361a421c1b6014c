import { createReadStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createRandom, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { startFleet } from "../fleet/fleet.ts";
import type { Promises } from "./check-subject.ts";
import { check, type Verdict } from "./checker.ts";
import type { Token } from "./client.ts";
import type { ClientTask } from "./client-process.ts";
import { type ContenderName, factsOf } from "./clients/catalog.ts";
import type { ServerAddress } from "./contender.ts";
import { machineClockOffsetUs } from "./machine-clock.ts";
import type { LimitRecord } from "./record.ts";
import { subjects } from "./schedule.ts";
import type { Subject } from "./subject.ts";

export interface ExactnessOptions {
  readonly seed: number;
  readonly processes: number;
  /** In all processes together. */
  readonly decisions: number;
  /** Through a server of the REST API instead of TCP. */
  readonly rest: boolean;
  /** A folder to keep the records in: `{contender}-{process}.jsonl`. */
  readonly keep?: string;
}

export interface ExactnessRun extends Verdict {
  readonly hasReceipts: boolean;
  readonly seconds: number;
}

/** Times of receipts are kept one by one up to this limit, and rounded up to this part of the window above. */
const [largestExactLimit, partsOfWindow] = [2_000, 256];
/** Our limiters know the server's time as exactly as this, and take the latest that it may be. */
export const inexactUs = ({ windowMs }: Subject): number => Math.max(2_000, windowMs * 10);

const promisesOf = (name: ContenderName): Promises => ({
  roundedUs(subject) {
    if (!factsOf(name).hasReceipts) return 0;
    const isRounded = name !== "ours-log" && subject.limit > largestExactLimit;
    return inexactUs(subject) + (isRounded ? Math.floor((subject.windowMs * 1_000) / partsOfWindow) : 0);
  },
  denyCacheUs: 5_000_000,
});

/** Has processes decide on one real Redis at random, and checks what they noted. */
export async function measureExactness(name: ContenderName, options: ExactnessOptions): Promise<ExactnessRun> {
  const { seed, processes, decisions, rest, keep } = options;
  const { offers, hasReceipts } = factsOf(name);
  if (keep !== undefined) mkdirSync(keep, { recursive: true });
  const folder = keep ?? mkdtempSync(join(tmpdir(), "continuum-cache-exactness-"));
  const redis = await startRedisServer();
  const gateway = rest ? await startUpstashLocal({ port: 0, token: "bench", redisUrl: redis.url }) : undefined;
  const server: ServerAddress = { url: redis.url, ...(gateway && { rest: { url: gateway.url, token: "bench" } }) };
  try {
    const clockOffsetUs = machineClockOffsetUs();
    const tasks = Array.from(
      { length: processes },
      (_, process): ClientTask => ({
        seed,
        process,
        decisions: Math.ceil(decisions / processes),
        offered: subjects.flatMap((subject, at) => (offers(subject) ? [at] : [])),
        contender: name,
        server,
        clockOffsetUs,
        file: join(folder, `${name}-${process}.jsonl`),
      }),
    );
    const random = createRandom(seed, processes);
    const beganAt = performance.now();
    const fleet = await startFleet<ClientTask, Token, undefined>({
      module: "../limiter/client-process",
      tasks,
      route: (from) => (from + random.between(1, Math.max(1, processes - 1))) % processes,
    });
    await fleet.results;
    const seconds = (performance.now() - beganAt) / 1_000;
    const records = (await Promise.all(tasks.map(({ file }) => readRecords(file)))).flat();
    return { ...check(subjects, records, promisesOf(name)), hasReceipts, seconds };
  } finally {
    await gateway?.close();
    await redis.close();
    if (keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

async function readRecords(file: string): Promise<LimitRecord[]> {
  const records: LimitRecord[] = [];
  for await (const line of createInterface({ input: createReadStream(file) }))
    records.push(JSON.parse(line) as LimitRecord);
  return records;
}
