import { unwrap } from "../errors/command-error.ts";
import { quoted } from "../errors/quoted.ts";
import type { Reply } from "../ports/transport.ts";
import { integerRequest } from "./integer-reply.ts";
import type { Requests } from "./requests.ts";
import type { Values } from "./values.ts";

/** The requests of lists. @param full - Checks a key, and puts the prefix before it. */
export function listRequests(
  full: (key: string) => string,
  values: Values,
): Pick<Requests, "push" | "pop" | "lrange" | "llen"> {
  return {
    push(name, key, items) {
      if (items.length === 0) throw new RangeError("Expected at least one value to push, got none");
      const stored = items.map((item) => values.toItem("item", key, item));
      return integerRequest(name.toLowerCase(), [name, full(key), ...stored]);
    },
    pop(name, key) {
      const operation = name.toLowerCase();
      return {
        operation,
        commands: [[name, full(key)]],
        read: (replies, at) => values.fromItem(operation, key, replies[at]),
      };
    },
    lrange(key, start, stop) {
      for (const index of [start, stop]) {
        if (!Number.isSafeInteger(index)) {
          throw new RangeError(`Expected a whole number as list index, got ${quoted(index)}`);
        }
      }
      return {
        operation: "lrange",
        commands: [["LRANGE", full(key), start, stop]],
        read: (replies, at) =>
          (unwrap(replies[at]) as readonly Reply[]).map((item) => values.fromItem("lrange", key, item)),
      };
    },
    llen: (key) => integerRequest("llen", ["LLEN", full(key)]),
  };
}
