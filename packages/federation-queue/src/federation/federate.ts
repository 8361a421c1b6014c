import type { Cache, Events } from "@continuum-cache/core";
import { createEvents } from "@continuum-cache/core/kit";
import type { SyncLog } from "../log/sync-log.ts";
import { createApplier } from "./applier.ts";
import type { CacheChange } from "./cache-change.ts";
import { createChangePublisher } from "./change-publisher.ts";
import { startFollower } from "./follower.ts";
import { createObserver } from "./observer.ts";
import { type FederationSettings, readFederationSettings } from "./settings.ts";
import type { FederateOptions, FederationEvents } from "./types.ts";
import { createValueSync } from "./value-sync.ts";

/** The federation of a cache with those of other instances. */
export interface Federation extends AsyncDisposable {
  /** Changes made here that the other instances cannot know yet: in the log's outbox, or as pending invalidations. */
  readonly pending: number;
  /** Listens to an event. @returns the function that stops listening. */
  on<Name extends keyof FederationEvents>(event: Name, listener: (event: FederationEvents[Name]) => void): () => void;
  /**
   * Stops applying the changes of other instances, and tries once more to publish pending invalidations; `error`
   * reports those that are lost. The cache and the log stay open: their owners close them. Safe to call twice.
   */
  close(): Promise<void>;
}

/** The same cache, whose deletes reach the other instances too. Its `close` ends only the federation. */
export type Federated<Kind extends Cache = Cache> = Kind & { readonly federation: Federation };

/**
 * Joins a cache with those of other instances, in this region and others. A key or pattern that is deleted through the
 * result, alone or in a pipeline, is deleted in all of them; with `values` a `set` is a `set` in all of them. Use a log
 * of its own: `new SyncLog(cache, { instanceId, key: "fed:cache" })`.
 *
 * The result is the same cache, with the same loads and events. A delete takes effect here first, and resolves when the
 * log has it, or keeps it until Redis is back. When it rejects, other instances may not know of it, and it is safe to
 * repeat. A delete of another instance is repeated here even on a shared database: in-flight `getOrSet` loads still
 * return their value, but do not store it.
 *
 * With `values` each key has a clock in the database, another key that lives for `retention`. The later of two writes
 * wins; of two in the same instant the same one wins everywhere. A value is shared with its expiry. A value that is too
 * large for the log, or that a reader's codecs cannot decode, is shared as a delete. Values that `getOrSet` stores,
 * `expire`, counters and lists are not shared.
 *
 * A delete costs an additional `append` (4 commands), and one command on each other instance. A pattern costs a run of
 * SCAN and UNLINK on each. A value costs 5 more commands where it is set, and 4 where it arrives.
 *
 * When changes were missed (see `gap`) everything in `scope` is deleted here. When the log has no room for more
 * changes, the other instances delete everything in `scope`.
 *
 * @throws ConfigError that quotes the invalid option.
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
  const events = createEvents<FederationEvents>({ error: true, gap: true, deferred: true, applied: true });
  const { observer, ...running } = createFederation(settings, events.emit);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= running.close();
    return closing;
  };
  const federation: Federation = {
    get pending() {
      return log.pending + running.publisher.pendingInvalidations;
    },
    on: events.on,
    close,
    [Symbol.asyncDispose]: close,
  };
  const own = { federation, close, [Symbol.asyncDispose]: close };
  return Object.defineProperties(cache.observed(observer), Object.getOwnPropertyDescriptors(own)) as Federated<Kind>;
}

/** A federation's parts, put together. */
function createFederation(settings: FederationSettings, emit: Events<FederationEvents>["emit"]) {
  const values = settings.values && createValueSync(settings, settings.values);
  const applier = createApplier(settings, values);
  const source = {
    async everything(isHereToo: boolean): Promise<CacheChange> {
      const change: CacheChange = { type: "fed.invalidate", ...(values && { at: await values.clock.now() }) };
      if (isHereToo) await applier.apply(change, settings.log.instanceId);
      return change;
    },
    async keys(keys: readonly string[]): Promise<readonly CacheChange[]> {
      return values ? values.put(keys.map((key) => ({ key, kind: "delete" }))) : [];
    },
  };
  const publisher = createChangePublisher(settings, source, emit);
  const follower = startFollower(settings, applier, values?.tombstones, emit);

  return {
    observer: createObserver(settings, values, publisher, follower),
    publisher,
    async close(): Promise<void> {
      await follower.close();
      const left = await publisher.close();
      if (left === 0) return;
      const message = `${left} invalidation(s) for other instances are lost: the log did not take them in time`;
      emit("error", { operation: "close", error: new Error(message) });
    },
  };
}
