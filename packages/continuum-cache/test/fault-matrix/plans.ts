import type { Command } from "@continuum-cache/core";
import type { Backend } from "./backends.ts";
import { type Variant, variants } from "./calls.ts";
import type { Fault } from "./faults.ts";
import { type Operation, operations } from "./operations.ts";

/** When the fault comes: while connections are idle, while calls are in flight, or before the first connection. */
export type Moment = "idle" | "under way" | "before the first connection";
export const moments: readonly Moment[] = ["idle", "under way", "before the first connection"];

/** One cell on paper: what is called, how, and on which keys. */
export interface Plan {
  readonly label: string;
  readonly operation: Operation;
  /** Whether the cache has a fallback. One without insists on the primary by itself. */
  readonly fallback: boolean;
  readonly variants: readonly Variant[];
  keyOf(variant: Variant): string;
}

/** All cells of one fault at one moment: each operation, with a fallback and without. */
export function plansFor(backend: Backend, fault: Fault, moment: Moment): readonly Plan[] {
  return [true, false].flatMap((fallback) =>
    operations.map((operation): Plan => {
      const place = `${backend.name}, ${fault.name}, ${moment}`;
      const family = `${operation.name}${fallback ? "" : ":primary-only"}`;
      return {
        label: `${place}, ${operation.name}${fallback ? "" : ", no fallback"}`,
        operation,
        fallback,
        variants: fallback ? variants : variants.filter(({ insists }) => !insists),
        keyOf: ({ name }) => `${family}:${name}`.replaceAll(" ", "-"),
      };
    }),
  );
}

/** What other processes have stored before. */
export const seedsOf = (plans: readonly Plan[]): readonly Command[] =>
  plans.flatMap(({ operation, variants: ways, keyOf }) => ways.flatMap((way) => operation.seed?.(keyOf(way)) ?? []));
