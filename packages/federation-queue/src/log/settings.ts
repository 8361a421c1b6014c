import { type Codec, ConfigError, type Duration, keyPattern, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  type KnownOptions,
  textOption,
  toMs,
  toTimeoutMs,
  toWireChannel,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import {
  codecOf,
  type FederationBackend,
  keyPrefixOption,
  knownCall,
  readOutbox,
  transportOf,
} from "../shared/options.ts";
import type { OutboxLimits } from "../shared/outbox.ts";
import type { AppendOptions, FollowOptions, SyncLogOptions } from "./types.ts";

const knownLog: KnownOptions<SyncLogOptions> = {
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

/** The options of a log, checked and with defaults. */
export interface LogSettings {
  readonly transport: Transport;
  readonly codec: Codec;
  readonly instanceId: string;
  readonly keys: LogKeys;
  /** The wire name of the notifier's channel. */
  readonly channel: string;
  readonly retentionMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly outbox: OutboxLimits;
  /** How many accepted events are remembered, and their bytes. */
  readonly repair: OutboxLimits;
  readonly timeoutMs: number;
  readonly maxEventBytes: number;
}

const mostRepairBytes = 8 << 20;

/** @throws ConfigError that quotes what came. */
export function readLogSettings(backend: FederationBackend, options: SyncLogOptions): LogSettings {
  const transport = transportOf(backend);
  assertOptions("new SyncLog", options ?? null, knownLog);
  const { instanceId, key = "fed:sync:events", outbox = {}, repair = 10_000 } = options;
  assertInstanceId(instanceId);
  const keys = createLogKeys(key);
  const ms = (name: "lease" | "pollInterval" | "timeout", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  return {
    transport,
    codec: codecOf(options.codec, backend),
    instanceId,
    keys,
    channel: toWireChannel(key),
    retentionMs: toMs(options.retention ?? "24h", "retention"),
    leaseMs: ms("lease", "30s"),
    pollMs: ms("pollInterval", "30s"),
    outbox: readOutbox(outbox),
    repair: { maxItems: wholeNumberOption("repair", repair, { min: 0 }), maxBytes: mostRepairBytes },
    timeoutMs: ms("timeout", "5s"),
    maxEventBytes: wholeNumberOption("maxEventBytes", options.maxEventBytes ?? 1 << 20),
  };
}

/** The keys of a log. */
export interface LogKeys {
  /** A hash: each origin, and which process holds its name (see `registry.ts`). */
  readonly registry: string;
  /** A stream: the events of one origin. */
  stream(origin: string): string;
  /** A hash: the id of the last event that an instance has applied, of each origin. */
  cursors(instanceId: string): string;
}

const maxOriginBytes = 256;

/** @throws ConfigError that quotes what came. */
export function createLogKeys(key: string): LogKeys {
  keyPrefixOption("key", key);
  // A name's own ":" is escaped, so that no origin's stream can be another instance's cursors.
  const stream = keyPattern(`${key}:{origin}`);
  const cursors = keyPattern(`${key}:cursors:{instance}`);
  return {
    registry: key,
    stream: (origin) => stream({ origin }),
    cursors: (instance) => cursors({ instance }),
  };
}

/** @throws ConfigError that quotes what came. */
function assertInstanceId(id: string | undefined): void {
  const words = `a name of 1 to ${maxOriginBytes} bytes, without control characters`;
  const name = textOption("instanceId", id ?? (null as never), /^[^\p{Cc}\p{Surrogate}]+$/u, words);
  const bytes = new TextEncoder().encode(name).length;
  if (bytes > maxOriginBytes) {
    throw new ConfigError("instanceId", `Expected \`instanceId\` to be ${words}, got ${bytes} bytes`);
  }
}
