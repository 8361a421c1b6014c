import type { KnownOptions } from "@continuum-cache/core";
import type { FederateOptions } from "../federate-options.ts";
import type { BackoffOptions, FederationQueueOptions, OutboxOptions } from "../federation-queue-options.ts";
import type { FollowOptions } from "../follow-options.ts";
import type { NackOptions } from "../lease.ts";
import type { AppendOptions, LogCallOptions } from "../log-call-options.ts";
import type { MessageOptions, PushOptions } from "../push-options.ts";
import type { DeadOptions, PullOptions, RedriveOptions } from "../queue-call-options.ts";
import type { RelayOptions } from "../relay-options.ts";
import type { SyncLogOptions } from "../sync-log-options.ts";
import type { ConsumeOptions, StopOptions } from "../worker.ts";

// The names of all options there are: one that is missing here does not compile.

export const knownCall: KnownOptions<LogCallOptions> = { timeout: true, signal: true };
export const knownOutbox: KnownOptions<OutboxOptions> = { maxMessages: true, maxBytes: true };
export const knownBackoff: KnownOptions<BackoffOptions> = { initial: true, max: true };

export const knownQueue: KnownOptions<FederationQueueOptions> = {
  priorities: true,
  defaultPriority: true,
  retention: true,
  visibilityTimeout: true,
  maxAttempts: true,
  maxCrashes: true,
  backoff: true,
  prefix: true,
  codec: true,
  pollInterval: true,
  outbox: true,
  repair: true,
  timeout: true,
  maxEventBytes: true,
};
const knownMessage: KnownOptions<MessageOptions> = { priority: true, id: true, delay: true };
export const knownPush: KnownOptions<PushOptions> = { ...knownMessage, ...knownCall, fallback: true };
export const knownPushMany: KnownOptions<Omit<PushOptions, "id" | "delay">> = {
  priority: true,
  ...knownCall,
  fallback: true,
};
export const knownOutgoing: KnownOptions<MessageOptions & { event: unknown }> = { event: true, ...knownMessage };
export const knownPull: KnownOptions<PullOptions> = { max: true, ...knownCall };
export const knownDead: KnownOptions<DeadOptions> = { max: true, ...knownCall };
export const knownRedrive: KnownOptions<RedriveOptions> = { max: true, ids: true, ...knownCall };
export const knownConsume: KnownOptions<ConsumeOptions> = { concurrency: true, maxDuration: true, signal: true };
export const knownStop: KnownOptions<StopOptions> = { timeout: true };
export const knownNack: KnownOptions<NackOptions> = { delay: true, reason: true };

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

export const knownRelay: KnownOptions<RelayOptions> = {
  key: true,
  retention: true,
  batch: true,
  pollInterval: true,
  timeout: true,
  signal: true,
};
export const knownFederate: KnownOptions<FederateOptions> = {
  scope: true,
  values: true,
  retention: true,
  clockPrefix: true,
  from: true,
  timeout: true,
};
