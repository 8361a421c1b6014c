import type { KnownOptions } from "@continuum-cache/core/kit";
import { knownCall } from "../shared/call-options.ts";
import type {
  BackoffOptions,
  DeadOptions,
  FederationQueueOptions,
  MessageOptions,
  PullOptions,
  PushOptions,
  RedriveOptions,
} from "./options.ts";
import type { ConsumeOptions, NackOptions, StopOptions } from "./types.ts";

// The names of all options: one that is missing here does not compile.

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
