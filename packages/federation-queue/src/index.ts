export type { Federated, Federation } from "./federation/federate.ts";
export { federate } from "./federation/federate.ts";
export type { FederateOptions, FederationEvents } from "./federation/types.ts";
export { isOriginTakenError, OriginTakenError } from "./log/origin-taken-error.ts";
export { SyncLog } from "./log/sync-log.ts";
export type {
  Appended,
  AppendOptions,
  FollowOptions,
  GapReason,
  Kept,
  LogEntry,
  LogEvents,
  LogGap,
  LogPosition,
  LogStats,
  OriginStats,
  Stored,
  SyncLogOptions,
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
export type { Relay } from "./relay/relay.ts";
export { relay } from "./relay/relay.ts";
export type { RelayEvents, RelayedOrigin, RelayOptions, RelayState, RelayStats } from "./relay/types.ts";
export type { FederationBackend, LogCallOptions, OutboxOptions } from "./shared/options.ts";
