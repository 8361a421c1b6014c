import { parseArgs } from "node:util";
import { commandTable, idleTable, measureCommands } from "./federation/commands/measure-commands.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/**
 * `bench federation-commands [--idle 120]`: what messages through the queue, and an idle worker, are billed beside
 * BullMQ.
 */
export async function federationCommands(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { idle: { type: "string", default: "120" } } });
  const { rows, idle } = await measureCommands({ messages: 600, idleMs: wholeNumber("idle", values.idle) * 1_000 });
  console.log(`Messages pushed and worked on in batches, one batch after the other\n\n${commandTable(rows)}\n`);
  console.log(`With nothing to do\n\n${idleTable(idle)}\n`);
}
