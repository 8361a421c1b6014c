import type { Closable } from "@continuum-cache/conformance/servers";
import { Cache, type CacheOptions, type Transport } from "@continuum-cache/core";
import { type Federated, federate } from "../../src/federation/federate.ts";
import type { FederateOptions, FederationEvents } from "../../src/federation/types.ts";
import { SyncLog } from "../../src/log/sync-log.ts";
import type { SyncLogOptions } from "../../src/log/types.ts";

export interface Instance {
  readonly name: string;
  /** Not federated. */
  readonly cache: Cache;
  readonly shared: Federated;
  readonly log: SyncLog;
  readonly emitted: { [Name in keyof FederationEvents]: FederationEvents[Name][] };
}

export interface InstanceOptions extends Partial<FederateOptions> {
  readonly log?: Partial<SyncLogOptions>;
  /** The log's transport, if not the cache's. */
  readonly logTransport?: Transport;
  readonly cache?: Partial<CacheOptions>;
}

/** An instance with a cache and a log on a transport, as if it ran in its own process. */
export function instanceOn(
  opened: <T extends Closable>(one: T) => T,
  transport: Transport,
  name: string,
  key: string,
  { log: logOptions = {}, logTransport = transport, cache: cacheOptions = {}, ...options }: InstanceOptions = {},
): Instance {
  const cache = new Cache({ transport, defaultTtl: "1h", ...cacheOptions });
  const log = opened(
    new SyncLog(
      { transport: logTransport },
      { instanceId: name, key, pollInterval: "500ms", timeout: "1s", ...logOptions },
    ),
  );
  const shared = federate(cache, log, { scope: "memory:*", timeout: "1s", ...options });
  const { federation } = shared;
  opened(federation);
  const emitted: Instance["emitted"] = { error: [], gap: [], deferred: [], applied: [] };
  federation.on("error", (event) => emitted.error.push(event));
  federation.on("gap", (event) => emitted.gap.push(event));
  federation.on("deferred", (event) => emitted.deferred.push(event));
  federation.on("applied", (event) => emitted.applied.push(event));
  return { name, cache, shared, log, emitted };
}
