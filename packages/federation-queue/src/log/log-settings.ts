import {
  type Codec,
  type Duration,
  json,
  readers,
  type Transport,
  toMs,
  toTimeoutMs,
  toWireChannel,
} from "@continuum-cache/core";
import type { FederationBackend } from "../federation-backend.ts";
import type { OutboxLimits } from "../outbox/outbox.ts";
import { wholeNumber } from "../queue/queue-settings.ts";
import type { SyncLogOptions } from "../sync-log-options.ts";
import { assertOrigin, createLogKeys, type LogKeys } from "./log-keys.ts";

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

/** @throws TypeError or RangeError that quotes what came. */
export function readLogSettings(backend: FederationBackend, options: SyncLogOptions): LogSettings {
  const { transport } = backend ?? {};
  if (typeof transport?.send !== "function") {
    throw new TypeError(`Expected a Cache, or { transport } with a Transport, got ${typeof transport} as transport`);
  }
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Expected options with an \`instanceId\`, got ${options === null ? "null" : typeof options}`);
  }
  const { instanceId, key = "fed:sync:events", outbox = {}, repair = 10_000 } = options;
  assertOrigin("instanceId", instanceId);
  const keys = createLogKeys(key);
  const ms = (name: "lease" | "pollInterval" | "timeout", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  return {
    transport,
    codec: readers([options.codec ?? backend.codec ?? json()].flat()),
    instanceId,
    keys,
    channel: toWireChannel(key),
    retentionMs: toMs(options.retention ?? "24h", "retention"),
    leaseMs: ms("lease", "30s"),
    pollMs: ms("pollInterval", "30s"),
    outbox: {
      maxItems: wholeNumber("outbox.maxMessages", outbox.maxMessages ?? 10_000),
      maxBytes: wholeNumber("outbox.maxBytes", outbox.maxBytes ?? 8 << 20),
    },
    repair: { maxItems: repair === 0 ? 0 : wholeNumber("repair", repair), maxBytes: mostRepairBytes },
    timeoutMs: ms("timeout", "5s"),
    maxEventBytes: wholeNumber("maxEventBytes", options.maxEventBytes ?? 1 << 20),
  };
}
