import { join } from "node:path";
import { startChild } from "./child.ts";
import { openMeter } from "./meter.ts";
import type { Contender, Site, Slice, Suite } from "./suite.ts";

/** A contender that waits for its turns. */
export interface RunningContender {
  /** Those that it takes part in. */
  readonly scenarios: readonly string[];
  measure(scenario: string, sliceMs: number): Promise<Slice>;
  close(): Promise<unknown>;
}

export type RunContender = (suite: Suite, contender: Contender, site: Site) => Promise<RunningContender>;

/** In this process: for tests, and for the process that a contender has. */
export const runHere: RunContender = async (suite, contender, site) => {
  const meter = openMeter(site, suite.servers);
  const { measures, close } = await contender.open(site);
  return {
    scenarios: Object.keys(measures),
    async measure(scenario, sliceMs) {
      const measure = measures[scenario];
      if (!measure) throw new Error(`Expected one of ${Object.keys(measures).join(", ")}, got ${scenario}`);
      return measure(sliceMs, meter);
    },
    async close() {
      await close?.();
      meter.close();
    },
  };
};

/** What the process of a contender is asked. */
export type Question =
  | { readonly suite: string; readonly contender: string; readonly site: Site }
  | { readonly scenario: string; readonly sliceMs: number }
  | "close";

/** In a process of its own, so that no contender's garbage or compiled code is another's. */
export const runInProcess: RunContender = async (suite, contender, site) => {
  const child = startChild(join(import.meta.dirname, "contender-process"));
  const ask = <Answer>(question: Question): Promise<Answer> => child.ask<Answer>(question);
  const scenarios = await ask<readonly string[]>({ suite: suite.name, contender: contender.name, site });
  return {
    scenarios,
    measure: (scenario, sliceMs) => ask<Slice>({ scenario, sliceMs }),
    async close() {
      await ask("close");
      await child.end();
    },
  };
};
