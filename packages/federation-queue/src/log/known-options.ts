import type { KnownOptions } from "@continuum-cache/core/kit";
import { knownCall } from "../shared/options.ts";
import type { AppendOptions, FollowOptions, SyncLogOptions } from "./options.ts";

// The names of all options: one that is missing here does not compile.

export const knownLog: KnownOptions<SyncLogOptions> = {
  instanceId: true,
  retention: true,
  key: true,
  lease: true,
  outbox: true,
  repair: true,
  pollInterval: true,
  codec: true,
  timeout: true,
  maxEventBytes: true,
};
export const knownAppend: KnownOptions<AppendOptions> = { ...knownCall, fallback: true };
export const knownFollow: KnownOptions<FollowOptions> = { signal: true, from: true, batch: true, resync: true };
