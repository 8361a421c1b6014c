import type { Evidence } from "../evidence.ts";
import type { Violation } from "../violation.ts";

/** Objects to any change of a key that no client has ever named, unless the server may have forgotten it. */
export function findHarmedBystanders({ history, isForgetful }: Evidence): Violation[] {
  if (isForgetful) return [];
  return history.bystanders.flatMap(({ key, before, after }) => {
    if (after === before) return [];
    const is = after === null ? "is gone" : `was ${before} and is ${after}`;
    const detail = `${key}, which no client has named, ${is} at the end`;
    return [{ kind: "bystander", detail, key, calls: [] }];
  });
}
