import type { Codec, Duration, Transport } from "@continuum-cache/core";
import { assertOptions, toMs, toTimeoutMs, toWireChannel, wholeNumberOption } from "@continuum-cache/core/kit";
import { codecOf, type FederationBackend, readOutbox, transportOf } from "../shared/options.ts";
import type { OutboxLimits } from "../shared/outbox.ts";
import { knownLog } from "./known-options.ts";
import { assertOrigin, createLogKeys, type LogKeys } from "./log-keys.ts";
import type { SyncLogOptions } from "./options.ts";

/** Options as a log works with them: checked, defaults filled in. */
export interface LogSettings {
  readonly transport: Transport;
  readonly codec: Codec;
  readonly instanceId: string;
  readonly keys: LogKeys;
  /** The doorbell's, as it travels. */
  readonly channel: string;
  readonly retentionMs: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly outbox: OutboxLimits;
  /** How many accepted events are remembered, and what they may take. */
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
  assertOrigin("instanceId", instanceId);
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
