import type { Cache } from "@continuum-cache/core";
import { createEvents } from "@continuum-cache/core/kit";
import type { SyncLog } from "../log/sync-log.ts";
import { createFederation } from "./create-federation.ts";
import { readFederationSettings } from "./settings.ts";
import type { FederateOptions, FederationEvents } from "./types.ts";

/** What keeps caches in step. */
export interface Federation extends AsyncDisposable {
  /** Changes made here that the others can't know of yet: they wait in this process, in the log's outbox or as a debt. */
  readonly pending: number;
  /** Listens to an event. @returns the function that stops listening. */
  on<Name extends keyof FederationEvents>(event: Name, listener: (event: FederationEvents[Name]) => void): () => void;
  /**
   * Stops applying what others change, and tells once more what is owed to them; what could not be told is told by `error`.
   * The cache and the log stay open: they are their owners'. Safe to call twice.
   */
  close(): Promise<void>;
}

/** The same cache, whose deletes reach the other instances too. `close` ends the federation only. */
export type Federated<Kind extends Cache = Cache> = Kind & { readonly federation: Federation };

/**
 * Joins a cache with those of other instances, in this region and others: what is deleted through the result, by key or by
 * pattern, alone or in a pipeline, is deleted in all of them; with `values` what is `set` is set. The log is to be one of its
 * own: `new SyncLog(cache, { instanceId, key: "fed:cache" })`.
 *
 * It is the same cache, with the same loads and events. A delete takes effect here first, and resolves when the log has it,
 * or keeps it until Redis is back; when it rejects, others may not know of it, and it may be done again without harm. What
 * others delete is deleted here again even where the database is shared: that is what keeps a `getOrSet` that was loading
 * meanwhile from storing what is old. Loads under way are handed out, but not stored.
 *
 * With `values` each key has a clock in the database, a key of its own that lives for `retention`: the later of two writes
 * wins, in the same instant the same one everywhere. A value travels with the time at which it ends; one that is too large
 * for the log, or that a reader's codecs can't read, as a delete. What `getOrSet` stores, `expire`, counters and lists stay
 * where they are.
 *
 * A delete costs an `append` besides (4 commands), and one command on each other instance; a pattern costs a run of SCAN and
 * UNLINK on each; a value 5 commands more where it is set, and 4 where it arrives.
 *
 * When changes were missed (see `gap`) all of `scope` is deleted here; when the log has no room to tell more, the others
 * delete all of it.
 *
 * @throws ConfigError that quotes the option that can't be.
 *
 * @example
 * ```ts
 * import { Cache } from "@continuum-cache/core";
 * import { federate, SyncLog } from "@continuum-cache/federation-queue";
 * import { restTransport } from "@continuum-cache/transport-rest";
 *
 * const cache = new Cache({ transport: restTransport({ url: "https://eu.upstash.io", token: "…" }) });
 * const log = new SyncLog(cache, { instanceId: "eu-2", key: "fed:cache" });
 * const shared = federate(cache, log, { scope: "memory:*" });
 * shared.federation.on("gap", ({ origin, missed }) => console.warn(`missed ${missed} changes of ${origin}`));
 *
 * await shared.delete("memory:7"); // here, and wherever the log is followed
 * await shared.deletePattern("memory:user:9:*");
 *
 * await shared.close();
 * await log.close();
 * await cache.close();
 * ```
 */
export function federate<Kind extends Cache>(cache: Kind, log: SyncLog, options: FederateOptions): Federated<Kind> {
  const settings = readFederationSettings(cache, log, options);
  const events = createEvents<FederationEvents>({ error: true, gap: true, owed: true, applied: true });
  const { observer, ...running } = createFederation(settings, events.emit);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= running.close();
    return closing;
  };
  const federation: Federation = {
    get pending() {
      return log.pending + running.owed();
    },
    on: events.on,
    close,
    [Symbol.asyncDispose]: close,
  };
  const own = { federation, close, [Symbol.asyncDispose]: close };
  return Object.defineProperties(cache.observed(observer), Object.getOwnPropertyDescriptors(own)) as Federated<Kind>;
}
