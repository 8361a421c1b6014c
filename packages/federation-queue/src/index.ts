export type { Federated, Federation } from "./federation/federate.ts";
export { federate } from "./federation/federate.ts";
export type { FederateOptions } from "./federation/options.ts";
export type { FederationEvents } from "./federation/types.ts";
export type { AppendOptions, FollowOptions, SyncLogOptions } from "./log/options.ts";
export { isOriginTakenError, OriginTakenError } from "./log/origin-taken-error.ts";
export { SyncLog } from "./log/sync-log.ts";
export type {
  Appended,
  GapReason,
  Kept,
  LogEntry,
  LogEvents,
  LogGap,
  LogPosition,
  LogStats,
  OriginStats,
  Stored,
} from "./log/types.ts";
export { FederationQueue } from "./queue/federation-queue.ts";
export { isLeaseLostError, LeaseLostError } from "./queue/lease-lost-error.ts";
export type {
  BackoffOptions,
  CallingOptions,
  DeadOptions,
  FederationQueueOptions,
  MessageOptions,
  OutgoingMessage,
  PullOptions,
  Pushed,
  PushOptions,
  RedriveOptions,
} from "./queue/options.ts";
export type {
  ConsumeOptions,
  DeadLetter,
  DeathReason,
  Handler,
  Lease,
  NackOptions,
  PriorityStats,
  QueueEvents,
  QueueStats,
  StopOptions,
  Worker,
} from "./queue/types.ts";
export type { RelayOptions } from "./relay/options.ts";
export type { Relay } from "./relay/relay.ts";
export { relay } from "./relay/relay.ts";
export type { RelayEvents, RelayedOrigin, RelayState, RelayStats } from "./relay/types.ts";
export type { FederationBackend, LogCallOptions, OutboxOptions } from "./shared/options.ts";
