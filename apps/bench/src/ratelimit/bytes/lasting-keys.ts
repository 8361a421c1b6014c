import { createRandom, startRedisServer } from "@continuum-cache/conformance/servers";
import {
  type Contender,
  type CountingContender,
  countingContenders,
  type Subject,
} from "@continuum-cache/histories/limiter";
import { inFlight } from "../in-flight.ts";

/** What random calls, refunds and resets leave behind. */
export interface LastingKeysRow {
  readonly title: string;
  readonly operations: number;
  readonly keys: number;
  /** Keys that never expire. */
  readonly lasting: number;
}

const identifiers = 5_000;
const windowsMs = [1_000, 60_000, 3_600_000] as const;
const limits = [1, 10, 100, 5_000] as const;

export async function measureLastingKeys(
  operations: number,
  seed: number,
  contenders: readonly CountingContender[] = countingContenders,
): Promise<LastingKeysRow[]> {
  const rows: LastingKeysRow[] = [];
  for (const { title, open } of contenders) {
    const redis = await startRedisServer();
    const contender = open(redis);
    try {
      await operate(contender, operations, seed);
      const keys = (await redis.command("KEYS", "*")) as string[];
      let lasting = 0;
      await inFlight(keys.length, 16, async (nth) => {
        if (Number(await redis.command("PTTL", keys[nth] ?? "")) === -1) lasting++;
      });
      rows.push({ title, operations, keys: keys.length, lasting });
    } finally {
      await contender.close();
      await redis.close();
    }
  }
  return rows;
}

/** Nine calls for each refund, now and then a reset. */
async function operate(contender: Contender, operations: number, seed: number): Promise<void> {
  const random = createRandom(seed);
  const accepted: { readonly subject: Subject; readonly cost: number; readonly receipt: unknown }[] = [];
  // A reset may look through the whole database: few of them do.
  const resets = Math.min(100, Math.ceil(operations / 1_000));
  await inFlight(operations, 64, async (nth) => {
    const number = random.between(1, identifiers);
    const limit = limits[number % limits.length] as number;
    const subject: Subject = { id: `user-${number}`, limit, windowMs: windowsMs[number % windowsMs.length] as number };
    if (nth % Math.ceil(operations / resets) === 0) await contender.reset(subject);
    else if (random.chance(0.1)) {
      const taken = accepted.splice(random.between(0, accepted.length - 1), 1)[0];
      if (taken) await contender.refund(taken.subject, taken.cost, taken.receipt);
    } else {
      const cost = random.between(1, Math.ceil(limit / 10));
      const { allowed, receipt } = await contender.limit(subject, cost);
      if (allowed && accepted.length < 10_000) accepted.push({ subject, cost, receipt });
    }
  });
}

export function lastingKeysTable(rows: readonly LastingKeysRow[]): string {
  return [
    "| after random calls, refunds and resets | operations | keys | keys without an expiry |",
    "| --- | ---: | ---: | ---: |",
    ...rows.map(({ title, operations, keys, lasting }) => `| ${title} | ${operations} | ${keys} | ${lasting} |`),
  ].join("\n");
}
