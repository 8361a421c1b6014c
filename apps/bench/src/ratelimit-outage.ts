import { parseArgs } from "node:util";
import { callsPerWindow, limit, measureOutage, phases, shares } from "./ratelimit/outage/measure-outage.ts";
import { outageTable } from "./ratelimit/outage/outage-row.ts";
import { wholeNumber } from "./ratelimit/whole-number.ts";

/** `bench ratelimit-outage [--window 60000] [--ids 3] [--seed 1]`: what four processes let pass while Redis is away. */
export async function ratelimitOutage(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      window: { type: "string", default: "6000" },
      ids: { type: "string", default: "2" },
      seed: { type: "string", default: "1" },
    },
  });
  const windowMs = wholeNumber("window", values.window);
  const ids = wholeNumber("ids", values.ids);
  const rows = await measureOutage({ windowMs, ids, seed: wholeNumber("seed", values.seed) });
  console.log(
    `${limit} per window of ${windowMs / 1_000} s, the worst of ${ids} ids; ${callsPerWindow} calls a window, ` +
      `by process ${shares.map((share) => `${share * 100} %`).join(", ")}; ` +
      `Redis away for ${phases.during} windows\n\n${outageTable(rows)}\n`,
  );
}
