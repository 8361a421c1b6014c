import { ConfigError, type Duration, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  type KnownOptions,
  signalOption,
  toMs,
  toTimeoutMs,
  toWireChannel,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { createLogKeys, type LogKeys } from "../log/settings.ts";
import { type FederationBackend, transportOf } from "../shared/options.ts";
import { createPrimaryClient, type PrimaryClient } from "../shared/primary-client.ts";
import type { RelayOptions } from "./types.ts";

const knownRelay: KnownOptions<RelayOptions> = {
  key: true,
  retention: true,
  batch: true,
  pollInterval: true,
  timeout: true,
  signal: true,
};

/** The options of a relay, checked and with defaults. */
export interface RelaySettings {
  readonly from: RelaySide;
  readonly to: RelaySide;
  readonly keys: LogKeys;
  /** The wire name of the notifier's channel on both sides. */
  readonly channel: string;
  readonly retentionMs: number;
  readonly batch: number;
  readonly pollMs: number;
  readonly timeoutMs: number;
}

export interface RelaySide {
  readonly transport: Transport;
  readonly link: PrimaryClient;
}

const mostPerRead = 10_000;

/** @throws ConfigError that quotes what came. */
export function readRelaySettings(
  from: FederationBackend,
  to: FederationBackend,
  options: RelayOptions,
): RelaySettings {
  const [source, target] = [transportOf(from, "from"), transportOf(to, "to")];
  if (from.transport === to.transport) {
    throw new ConfigError("to", "Expected `from` and `to` to be two databases, got the same transport twice");
  }
  assertOptions("relay", options, knownRelay);
  signalOption(options.signal);
  const { key = "fed:sync:events", batch = 100 } = options;
  const keys = createLogKeys(key);
  const ms = (name: "pollInterval" | "timeout", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  const timeoutMs = ms("timeout", "5s");
  const sideOf = (transport: Transport): RelaySide => ({ transport, link: createPrimaryClient(transport, timeoutMs) });
  return {
    from: sideOf(source),
    to: sideOf(target),
    keys,
    channel: toWireChannel(key),
    retentionMs: toMs(options.retention ?? "24h", "retention"),
    batch: wholeNumberOption("batch", batch, { max: mostPerRead }),
    pollMs: ms("pollInterval", "30s"),
    timeoutMs,
  };
}
