import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { type Contender, countingContenders, type Subject } from "@continuum-cache/histories/limiter";

/** What one identifier takes in Redis at the end of a window in which its limit was used up evenly, by limit. */
export interface BytesRow {
  readonly title: string;
  readonly bytes: readonly IdentifierBytes[];
}

export interface IdentifierBytes {
  readonly keys: number;
  /** MEMORY USAGE of its keys: names and all. */
  readonly memory: number;
  /** STRLEN of its keys; undefined when it is no string. */
  readonly length: number | undefined;
}

const measuredLimits: readonly number[] = [100, 1_000, 10_000];

/** Times in it take as many digits as in a minute. */
export const windowMs = 20_000;
/** Of the window: a little less, so that nothing has left it when it is looked at. */
const spreadMs = 18_000;

/** Uses up all limits of all contenders side by side. */
export async function measureBytes(): Promise<BytesRow[]> {
  const redis = await startRedisServer();
  const contenders = countingContenders.map(({ title, open }) => ({ title, contender: open(redis) }));
  try {
    return await Promise.all(
      contenders.map(async ({ title, contender }, at) => ({
        title,
        bytes: await Promise.all(
          measuredLimits.map(async (limit): Promise<IdentifierBytes> => {
            const subject = { id: `user-${at}-of-${limit}.`, limit, windowMs };
            await useUp(contender, subject);
            return identifierBytes(redis, subject.id);
          }),
        ),
      })),
    );
  } finally {
    for (const { contender } of contenders) await contender.close();
    await redis.close();
  }
}

async function useUp(contender: Contender, subject: Subject): Promise<void> {
  const beganAt = performance.now();
  for (let made = 0; made < subject.limit; ) {
    const due = Math.ceil(((performance.now() - beganAt) / spreadMs) * subject.limit);
    const calls = Array.from({ length: Math.min(due, subject.limit) - made }, () => contender.limit(subject, 1));
    made += calls.length;
    await Promise.all(calls);
    await sleep(Math.max(1, Math.min(20, spreadMs / subject.limit)));
  }
}

async function identifierBytes(redis: RedisServer, id: string): Promise<IdentifierBytes> {
  const keys = (await redis.command("KEYS", `*${id}*`)) as string[];
  let memory = 0;
  let length: number | undefined = 0;
  for (const key of keys) {
    memory += Number(await redis.command("MEMORY", "USAGE", key, "SAMPLES", "0"));
    const isString = String(await redis.command("TYPE", key)) === "string";
    length = isString && length !== undefined ? length + Number(await redis.command("STRLEN", key)) : undefined;
  }
  return { keys: keys.length, memory, length };
}

export function bytesTable(rows: readonly BytesRow[]): string {
  const cell = ({ keys, memory, length }: IdentifierBytes): string =>
    `${memory} (${length ?? "no string"})${keys === 1 ? "" : ` in ${keys} keys`}`;
  return [
    `| MEMORY USAGE (STRLEN) | ${measuredLimits.map((limit) => `limit ${limit}`).join(" | ")} |`,
    `| --- | ${measuredLimits.map(() => "---:").join(" | ")} |`,
    ...rows.map(({ title, bytes }) => `| ${title} | ${bytes.map(cell).join(" | ")} |`),
  ].join("\n");
}
