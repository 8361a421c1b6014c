import { parseArgs } from "node:util";
import { idleTable, measureSpeed, speedTable } from "./federation/speed/measure-speed.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/** `bench federation-speed [--rounds 9] [--slice 500] [--idle 120]`: messages through the queue beside BullMQ, in turns within one run. */
export async function federationSpeed(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "9" },
      slice: { type: "string", default: "500" },
      idle: { type: "string", default: "120" },
    },
  });
  const { rows, idle } = await measureSpeed({
    rounds: wholeNumber("rounds", values.rounds),
    sliceMs: wholeNumber("slice", values.slice),
    idleMs: wholeNumber("idle", values.idle) * 1_000,
  });
  console.log(
    `Messages of 100 characters, pushed and worked on by handlers that return at once, 200 under way, concurrency 50; all in one run, ratios to BullMQ\n\n${speedTable(rows)}\n`,
  );
  console.log(`With nothing to do\n\n${idleTable(idle)}\n`);
}
