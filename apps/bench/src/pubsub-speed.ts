import { parseArgs } from "node:util";
import { measureSpeed, speedTable } from "./pubsub/speed/measure-speed.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/** `bench pubsub-speed [--rounds 9] [--slice 250]`: messages from a publisher to a listener beside the rivals, in turns within one run. */
export async function pubsubSpeed(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string", default: "9" }, slice: { type: "string", default: "250" } },
  });
  const rows = await measureSpeed({
    rounds: wholeNumber("rounds", values.rounds),
    sliceMs: wholeNumber("slice", values.slice),
  });
  console.log(
    `Messages of 100 characters from one client to another, until they are heard; all in one run, ratios to the first\n\n${speedTable(rows)}\n`,
  );
}
