import { type Codec, ConfigError, type Duration, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  choiceOption,
  toMs,
  toTimeoutMs,
  toWireChannel,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { codecOf, type FederationBackend, readOutbox, transportOf } from "../shared/options.ts";
import type { OutboxLimits } from "../shared/outbox.ts";
import { type BackoffOptions, type FederationQueueOptions, knownBackoff, knownQueue } from "./options.ts";
import { createQueueKeys, type PriorityStream, type QueueKeys } from "./queue-keys.ts";

/** The checked options, with their defaults. */
export interface QueueSettings {
  readonly transport: Transport;
  readonly codec: Codec;
  readonly keys: QueueKeys;
  /** The channel of the notifications: a wire name. */
  readonly channel: string;
  /** The stream of pushes that name no priority. */
  readonly defaultStream: PriorityStream;
  readonly retentionMs: number;
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly maxCrashes: number;
  readonly backoffMs: { readonly initial: number; readonly max: number };
  readonly pollMs: number;
  /** Undefined: pushes never wait in this process. */
  readonly outbox: OutboxLimits | undefined;
  /** 0: no repair. */
  readonly repairMs: number;
  readonly timeoutMs: number;
  readonly maxEventBytes: number;
}

/** @throws ConfigError that quotes the value. */
export function readQueueSettings(backend: FederationBackend, options: FederationQueueOptions): QueueSettings {
  const transport = transportOf(backend);
  assertOptions("new FederationQueue", options, knownQueue);
  const { priorities = ["high", "normal", "low"], prefix = "fed:queue", repair = "60s", outbox = {} } = options;
  const keys = createQueueKeys(prefix, priorities);
  const defaultPriority = options.defaultPriority ?? (priorities.includes("normal") ? "normal" : priorities[0]);
  const ms = (name: "visibilityTimeout" | "pollInterval" | "timeout", fallback: Duration): number =>
    toTimeoutMs(options[name] ?? fallback, name);
  return {
    transport,
    codec: codecOf(options.codec, backend),
    keys,
    channel: toWireChannel(prefix),
    defaultStream: keys.of(choiceOption("defaultPriority", defaultPriority, priorities)),
    retentionMs: toMs(options.retention ?? "24h", "retention"),
    leaseMs: ms("visibilityTimeout", "30s"),
    maxAttempts: wholeNumberOption("maxAttempts", options.maxAttempts ?? 5),
    maxCrashes: wholeNumberOption("maxCrashes", options.maxCrashes ?? 20),
    backoffMs: readBackoff(options.backoff),
    pollMs: ms("pollInterval", "30s"),
    outbox: outbox === false ? undefined : readOutbox(outbox),
    repairMs: repair === false ? 0 : toMs(repair, "repair"),
    timeoutMs: ms("timeout", "5s"),
    maxEventBytes: wholeNumberOption("maxEventBytes", options.maxEventBytes ?? 1 << 20),
  };
}

function readBackoff(backoff: BackoffOptions = {}): QueueSettings["backoffMs"] {
  assertOptions("backoff", backoff, knownBackoff);
  const initial = toMs(backoff.initial ?? "1s", "backoff.initial");
  const max = toMs(backoff.max ?? "15m", "backoff.max");
  if (max >= initial) return { initial, max };
  throw new ConfigError(
    "backoff.max",
    `Expected \`backoff.max\` to be no less than \`backoff.initial\`, got ${max} ms and ${initial} ms`,
  );
}
