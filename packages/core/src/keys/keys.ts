import { sha256 } from "../hash/sha256.ts";
import { type KeyPattern, keyPattern } from "./key-pattern.ts";

type QueryKey = KeyPattern<"query:{queryHash}"> & {
  /** The key of a query by its text, hashed (SHA-256), so that its length and content don't matter. */
  of(queryText: string): string;
};

const query: KeyPattern<"query:{queryHash}"> = keyPattern("query:{queryHash}", { ttl: "5m" });

/**
 * The key families of CONTINUUM.
 *
 * @example
 * ```ts
 * import { keys } from "@continuum-cache/core";
 *
 * keys.session({ userId: "user_123" }); // "session:user_123", 1 h
 * keys.query.of("what is a lattice?"); // "query:" and 64 hex digits, 5 min
 * keys.memory({ conceptId: "concept_123" }); // "memory:concept_123", 30 min
 * keys.memory.match(); // "memory:*"
 * ```
 */
export const keys: {
  readonly session: KeyPattern<"session:{userId}">;
  readonly query: QueryKey;
  readonly memory: KeyPattern<"memory:{conceptId}">;
  readonly rateLimit: KeyPattern<"ratelimit:{scope}:{id}:{window}">;
  readonly fedQueue: KeyPattern<"fed:queue:{priority}">;
  readonly fedEvents: KeyPattern<"fed:sync:events">;
} = {
  session: keyPattern("session:{userId}", { ttl: "1h" }),
  query: Object.assign(query, { of: (queryText: string) => query({ queryHash: sha256(queryText) }) }),
  memory: keyPattern("memory:{conceptId}", { ttl: "30m" }),
  rateLimit: keyPattern("ratelimit:{scope}:{id}:{window}"),
  fedQueue: keyPattern("fed:queue:{priority}", { ttl: "24h" }),
  fedEvents: keyPattern("fed:sync:events", { ttl: "24h" }),
};
