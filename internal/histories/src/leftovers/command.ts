import { parseArgs } from "node:util";
import { wholeNumber } from "../whole-number.ts";
import { isBounded, leftoversTable, runLeftovers } from "./run.ts";

/**
 * `bench federation-leftovers [--messages 200000] [--restarts 200] [--way tcp|rest] [--counts 10]`: what is in Redis after many
 * messages and many workers that were killed and closed. Exit code 1 when it grows.
 */
export async function federationLeftovers(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      messages: { type: "string", default: "200000" },
      restarts: { type: "string", default: "200" },
      counts: { type: "string", default: "10" },
      way: { type: "string", default: "tcp" },
    },
  });
  const { way } = values;
  if (way !== "tcp" && way !== "rest")
    throw new TypeError(`Expected --way to be tcp or rest, got ${JSON.stringify(way)}`);
  const rows = await runLeftovers({
    way,
    messages: wholeNumber("messages", values.messages),
    restarts: wholeNumber("restarts", values.restarts),
    counts: wholeNumber("counts", values.counts),
  });
  console.log(`What is in Redis when all is done, ${way}\n\n${leftoversTable(rows)}\n`);
  if (!rows.every(isBounded)) process.exitCode = 1;
}
