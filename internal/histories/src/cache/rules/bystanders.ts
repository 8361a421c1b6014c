import type { Evidence } from "../evidence.ts";
import type { Violation } from "../violation.ts";

/** Objects to any change of a key that no client has ever named, unless the server may have forgotten it. */
export function findHarmedBystanders({ history, mayHaveForgotten }: Evidence): Violation[] {
  if (mayHaveForgotten(0, Number.POSITIVE_INFINITY)) return [];
  return history.bystanders.flatMap(({ key, before, after }) => {
    if (after === before) return [];
    const message = `${key}, which no client has named, ${after === null ? "is gone" : `was ${before} and is ${after}`} at the end`;
    return [{ kind: "bystander", message, key, calls: [] }];
  });
}
