import { parseArgs } from "node:util";
import { wholeNumber } from "../whole-number.ts";
import { type ContenderName, contenderNames } from "./clients/catalog.ts";
import type { ExactnessOptions } from "./run.ts";

/** What the command line asks for. */
export interface ExactnessArguments extends ExactnessOptions {
  readonly contenders: readonly ContenderName[];
}

/** @throws TypeError when an option is unknown, no number, or no contender's name. */
export function readExactnessArguments(args: readonly string[]): ExactnessArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      decisions: { type: "string", default: "100000" },
      processes: { type: "string", default: "8" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
      rest: { type: "boolean", default: false },
      keep: { type: "string" },
      contender: { type: "string", multiple: true, default: [] },
    },
  });
  for (const name of values.contender) {
    if (contenderNames.some((known) => known === name)) continue;
    throw new TypeError(`Expected --contender to be one of ${contenderNames.join(", ")}, got ${JSON.stringify(name)}`);
  }
  return {
    decisions: wholeNumber("decisions", values.decisions),
    processes: wholeNumber("processes", values.processes),
    seed: wholeNumber("seed", values.seed),
    rest: values.rest,
    ...(values.keep !== undefined && { keep: values.keep }),
    contenders: contenderNames.filter((name) => values.contender.length === 0 || values.contender.includes(name)),
  };
}
