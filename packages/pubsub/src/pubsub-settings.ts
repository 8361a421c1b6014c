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
import { type BufferSettings, readBuffer } from "./consuming/buffer-settings.ts";
import type { HubSettings } from "./hub/hub-settings.ts";
import type { PubSubBackend, PubSubOptions } from "./pubsub-options.ts";
import { type ReplaySettings, readReplay } from "./replay-settings.ts";

/** Options as a PubSub works with them: checked, defaults filled in. */
export interface PubSubSettings {
  readonly transport: Transport;
  readonly codec: Codec;
  readonly buffer: BufferSettings;
  /** Where a call does not say whether its channel has a history. */
  readonly replay: ReplaySettings | undefined;
  readonly timeoutMs: number;
  readonly maxMessageBytes: number;
  readonly hub: HubSettings;
}

/** @throws TypeError or RangeError that quotes what came. */
export function readSettings(backend: PubSubBackend, options: PubSubOptions): PubSubSettings {
  const { transport } = backend ?? {};
  if (typeof transport?.send !== "function") {
    throw new TypeError(`Expected a Cache, or { transport } with a Transport, got ${typeof transport} as transport`);
  }
  const { maxMessageBytes = 4 << 20, timeout = "5s", probeChannel = "continuum-cache:alive" } = options;
  if (!Number.isSafeInteger(maxMessageBytes) || maxMessageBytes < 1) {
    throw new RangeError(
      `Expected \`maxMessageBytes\` to be a whole number of bytes above 0, got ${String(maxMessageBytes)}`,
    );
  }
  const ms = (name: "watchdog" | "probeTimeout" | "maxReconnectWait", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  const timeoutMs = toTimeoutMs(timeout, "timeout");
  return {
    transport,
    codec: readers([options.codec ?? backend.codec ?? json()].flat()),
    buffer: readBuffer(options.buffer),
    replay: readReplay(options.replay ?? false),
    timeoutMs,
    maxMessageBytes,
    hub: {
      timeoutMs,
      watchdogMs: ms("watchdog", "45s"),
      probeTimeoutMs: ms("probeTimeout", "2s"),
      maxReconnectWaitMs: ms("maxReconnectWait", "5s"),
      probeChannel: toWireChannel(probeChannel),
    },
  };
}

/** The options of one call, as transports take them. @throws RangeError when its timeout can't be. */
export function callOptions(
  { timeout, signal }: { readonly timeout?: Duration | undefined; readonly signal?: AbortSignal | undefined },
  ownMs: number,
): { timeoutMs: number; signal?: AbortSignal } {
  return {
    timeoutMs: timeout === undefined ? ownMs : toMs(timeout, "timeout"),
    ...(signal && { signal }),
  };
}
