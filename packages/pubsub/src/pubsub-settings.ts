import {
  assertOptions,
  type Codec,
  ConfigError,
  type Duration,
  json,
  type KnownOptions,
  readers,
  type Transport,
  toTimeoutMs,
  toWireChannel,
  wholeNumberOption,
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

const known: KnownOptions<PubSubOptions> = {
  codec: true,
  replay: true,
  buffer: true,
  timeout: true,
  watchdog: true,
  probeTimeout: true,
  maxReconnectWait: true,
  maxMessageBytes: true,
  probeChannel: true,
};

/** @throws ConfigError that quotes what came. */
export function readSettings(backend: PubSubBackend, options: PubSubOptions): PubSubSettings {
  const { transport } = backend ?? {};
  if (typeof transport?.send !== "function") {
    throw new ConfigError(
      "transport",
      `Expected a Cache, or { transport } with a Transport, got ${typeof transport} as transport`,
    );
  }
  assertOptions("new PubSub", options, known);
  const { maxMessageBytes = 4 << 20, timeout = "5s", probeChannel = "continuum-cache:alive" } = options;
  const ms = (name: "watchdog" | "probeTimeout" | "maxReconnectWait", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  const timeoutMs = toTimeoutMs(timeout, "timeout");
  return {
    transport,
    codec: readers(codecsOf(options.codec ?? backend.codec ?? json())),
    buffer: readBuffer(options.buffer),
    replay: readReplay(options.replay ?? false),
    timeoutMs,
    maxMessageBytes: wholeNumberOption("maxMessageBytes", maxMessageBytes),
    hub: {
      timeoutMs,
      watchdogMs: ms("watchdog", "45s"),
      probeTimeoutMs: ms("probeTimeout", "2s"),
      maxReconnectWaitMs: ms("maxReconnectWait", "5s"),
      probeChannel: channelOption("probeChannel", probeChannel),
    },
  };
}

function codecsOf(codec: Codec | readonly Codec[]): readonly Codec[] {
  const codecs = [codec].flat();
  for (const one of codecs) {
    if (typeof one?.encode === "function" && typeof one.decode === "function") continue;
    throw new ConfigError("codec", `Expected \`codec\` to be a Codec or a list of them, got ${typeof one}`);
  }
  return codecs;
}

function channelOption(name: string, channel: string): string {
  try {
    return toWireChannel(channel);
  } catch (cause) {
    const { message } = cause as Error;
    throw new ConfigError(name, `Expected \`${name}\` to be the name of a channel: ${message}`, { cause });
  }
}

/** The options of one call, as transports take them. @throws ConfigError when one can't be. */
export function callOptions(
  { timeout, signal }: { readonly timeout?: Duration | undefined; readonly signal?: AbortSignal | undefined },
  ownMs: number,
): { timeoutMs: number; signal?: AbortSignal } {
  assertSignal(signal);
  return {
    timeoutMs: timeout === undefined ? ownMs : toTimeoutMs(timeout, "timeout"),
    ...(signal && { signal }),
  };
}

/** @throws ConfigError when it is none. */
export function assertSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || typeof signal?.addEventListener === "function") return;
  throw new ConfigError(
    "signal",
    `Expected \`signal\` to be an AbortSignal, got ${signal === null ? "null" : typeof signal}`,
  );
}
