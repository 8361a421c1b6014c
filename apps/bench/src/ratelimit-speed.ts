import { parseArgs } from "node:util";
import { measureSpeed, speedTable } from "./ratelimit/speed/measure-speed.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/** `bench ratelimit-speed [--rounds 9] [--slice 250]`: decisions per second beside the rivals, in turns within one run. */
export async function ratelimitSpeed(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string", default: "9" }, slice: { type: "string", default: "250" } },
  });
  const rows = await measureSpeed({
    rounds: wholeNumber("rounds", values.rounds),
    sliceMs: wholeNumber("slice", values.slice),
  });
  console.log(
    `Decisions, all in one run; ratios to the first of the same way, keys and number in flight\n\n${speedTable(rows)}\n`,
  );
}
