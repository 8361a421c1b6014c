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
import type { FederationQueueOptions } from "../federation-queue-options.ts";
import type { OutboxLimits } from "../outbox/outbox.ts";
import { createQueueKeys, type QueueKeys } from "./queue-keys.ts";

/** Options as a queue works with them: checked, defaults filled in. */
export interface QueueSettings {
  readonly transport: Transport;
  readonly codec: Codec;
  readonly keys: QueueKeys;
  /** The doorbell's, as it travels. */
  readonly channel: string;
  readonly defaultPriority: string;
  readonly retentionMs: number;
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly maxCrashes: number;
  readonly backoffMs: { readonly initial: number; readonly max: number };
  readonly pollMs: number;
  /** Absent where nothing may wait in this process. */
  readonly outbox: OutboxLimits | undefined;
  /** 0: nothing is remembered. */
  readonly repairMs: number;
  readonly timeoutMs: number;
  readonly maxEventBytes: number;
}

/** @throws TypeError or RangeError that quotes what came. */
export function readQueueSettings(backend: FederationBackend, options: FederationQueueOptions): QueueSettings {
  const { transport } = backend ?? {};
  if (typeof transport?.send !== "function") {
    throw new TypeError(`Expected a Cache, or { transport } with a Transport, got ${typeof transport} as transport`);
  }
  assertObject("options", options);
  const { priorities = ["high", "normal", "low"], prefix = "fed:queue", repair = "60s", backoff = {} } = options;
  const { outbox = {} } = options;
  assertObject("backoff", backoff);
  if (outbox !== false) assertObject("outbox", outbox, " or false");
  const keys = createQueueKeys(prefix, priorities);
  const defaultPriority = options.defaultPriority ?? (priorities.includes("normal") ? "normal" : priorities[0]);
  if (defaultPriority === undefined || !priorities.includes(defaultPriority)) {
    throw new RangeError(
      `Expected \`defaultPriority\` to be one of ${JSON.stringify(priorities)}, got ${JSON.stringify(defaultPriority)}`,
    );
  }
  const ms = (name: "visibilityTimeout" | "pollInterval" | "timeout", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  const backoffMs = {
    initial: toMs(backoff.initial ?? "1s", "backoff.initial"),
    max: toMs(backoff.max ?? "15m", "backoff.max"),
  };
  if (backoffMs.max < backoffMs.initial) {
    throw new RangeError(
      `Expected \`backoff.max\` to be no less than \`backoff.initial\`, got ${backoffMs.max} ms and ${backoffMs.initial} ms`,
    );
  }
  return {
    transport,
    codec: readers(codecsOf(options.codec ?? backend.codec ?? json())),
    keys,
    channel: toWireChannel(prefix),
    defaultPriority,
    retentionMs: toMs(options.retention ?? "24h", "retention"),
    leaseMs: ms("visibilityTimeout", "30s"),
    maxAttempts: wholeNumber("maxAttempts", options.maxAttempts ?? 5),
    maxCrashes: wholeNumber("maxCrashes", options.maxCrashes ?? 20),
    backoffMs,
    pollMs: ms("pollInterval", "30s"),
    outbox:
      outbox === false
        ? undefined
        : {
            maxItems: wholeNumber("outbox.maxMessages", outbox.maxMessages ?? 10_000),
            maxBytes: wholeNumber("outbox.maxBytes", outbox.maxBytes ?? 8 << 20),
          },
    repairMs: repair === false ? 0 : toMs(repair, "repair"),
    timeoutMs: ms("timeout", "5s"),
    maxEventBytes: wholeNumber("maxEventBytes", options.maxEventBytes ?? 1 << 20),
  };
}

function codecsOf(codec: Codec | readonly Codec[]): readonly Codec[] {
  const codecs = [codec].flat();
  for (const one of codecs) {
    if (typeof one?.encode === "function" && typeof one.decode === "function") continue;
    throw new TypeError(`Expected \`codec\` to be a Codec or a list of them, got ${typeof one}`);
  }
  return codecs;
}

function assertObject(name: string, value: unknown, otherwise = ""): asserts value is object {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  const got = Array.isArray(value)
    ? "a list"
    : value === null || typeof value === "boolean"
      ? String(value)
      : typeof value;
  throw new TypeError(`Expected \`${name}\` to be an object${otherwise}, got ${got}`);
}

/** @throws RangeError when it is not a whole number of at least 1. */
export function wholeNumber(name: string, value: unknown, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1 || value > most) {
    const bound = most === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${most}`;
    const got =
      typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : typeof value === "number" ? value : typeof value;
    throw new RangeError(`Expected \`${name}\` to be a whole number of at least 1${bound}, got ${got}`);
  }
  return value;
}
