import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import { isWellFormed } from "../text/text.ts";
import type { Requests } from "./requests.ts";

/** What a namespace has besides the calls of a cache. */
export interface Namespace {
  /**
   * Invalidates all values of the namespace, and of those inside it, at once and for all processes. It is one command,
   * however many keys there are: nothing is deleted, and what was stored expires by its time to live.
   *
   * @throws TransportError when no answer came.
   */
  clear(): Promise<void>;
}

/** Ends the path of namespaces in a key. No path contains it, so no key of one namespace can be one of another. */
const pathEnd = "::";

/**
 * The key prefix of a namespace, inside the one around it.
 *
 * @throws ConfigError when the name is no non-empty, well-formed string.
 */
export function namespacePrefix(keyPrefix: string, name: unknown, isNested: boolean): string {
  if (typeof name !== "string" || name === "" || !isWellFormed(name)) {
    throw new ConfigError("namespace", `Expected the name of a namespace such as "tenant:7", got ${quoted(name)}`);
  }
  const escaped = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  const own = name.replace(/[%/]|^:|:$|:(?=:)/g, escaped) + pathEnd;
  return isNested ? `${keyPrefix.slice(0, -pathEnd.length)}/${own}` : keyPrefix + own;
}

/** The requests of a namespace: without those that its marker can't cover, which would outlive `clear`. */
export function coveredRequests(requests: Requests): Requests {
  const refuse = (): never => {
    throw new ConfigError(
      "namespace",
      "A namespace holds values alone, which `clear` reaches. Use a cache with a `keyPrefix` for counters, lists and " +
        "pipelines",
    );
  };
  const refused = { set: refuse, increment: refuse, push: refuse, pop: refuse, lrange: refuse, llen: refuse };
  return { ...requests, ...refused, exists: refuse, expire: refuse, ttl: refuse };
}
