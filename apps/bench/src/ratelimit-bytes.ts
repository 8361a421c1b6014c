import { parseArgs } from "node:util";
import { bytesTable, measureBytes, windowMs } from "./ratelimit/bytes/identifier-bytes.ts";
import { lastingKeysTable, measureLastingKeys } from "./ratelimit/bytes/lasting-keys.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/**
 * `bench ratelimit-bytes [--operations 1000000] [--seed 1]`: what a used-up limit takes in Redis, and what is left
 * behind.
 */
export async function ratelimitBytes(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { operations: { type: "string", default: "50000" }, seed: { type: "string", default: "1" } },
  });
  const operations = wholeNumber("operations", values.operations);
  const seed = wholeNumber("seed", values.seed);
  console.log(
    `Bytes of one identifier that has used up its limit evenly; windows of ${windowMs / 1_000} s, ` +
      `whose times take as many digits as a minute's\n\n${bytesTable(await measureBytes())}\n`,
  );
  console.log(`${lastingKeysTable(await measureLastingKeys(operations, seed))}\n`);
}
