import { type Codec, ConfigError, type Duration, keyPattern, type Transport } from "@continuum-cache/core";
import {
  assertOptions,
  choiceOption,
  quoted,
  toMs,
  toTimeoutMs,
  toWireChannel,
  wholeNumberOption,
} from "@continuum-cache/core/kit";
import { codecOf, type FederationBackend, keyPrefixOption, readOutbox, transportOf } from "../shared/options.ts";
import type { OutboxLimits } from "../shared/outbox.ts";
import { type BackoffOptions, type FederationQueueOptions, knownBackoff, knownQueue } from "./options.ts";

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

/** A stream that messages are given out from: that of one priority, or the retry stream. */
export interface PriorityStream {
  /** The priority's name, or "retry". */
  readonly name: string;
  readonly key: string;
  /** Undefined for the retry stream, which holds messages of all priorities. */
  readonly priority: string | undefined;
  /** The scheduling weight among priorities. The retry stream has none: it always goes first. */
  readonly weight: number;
}

/** The Redis keys of a queue. */
export interface QueueKeys {
  /** Messages that are given out once more: they go before all others. */
  readonly retry: PriorityStream;
  readonly priorities: readonly string[];
  /** The retry stream, then the priorities, the most urgent first. */
  readonly streams: readonly PriorityStream[];
  readonly delayed: string;
  readonly dead: string;
  /** @throws ConfigError when there is no such priority. */
  of(priority: string): PriorityStream;
  /** The key that keeps a message with this id from being pushed twice. */
  marker(id: string): string;
}

/** The consumer group of all workers. */
export const group = "workers";

const reserved: readonly string[] = ["retry", "delayed", "dead", "id"];

/** @throws ConfigError that quotes the value. */
export function createQueueKeys(prefix: string, priorities: readonly string[]): QueueKeys {
  keyPrefixOption("prefix", prefix);
  assertPriorities(priorities);
  const keyOf = keyPattern(`${prefix}:{name}`);
  const marker = keyPattern(`${prefix}:id:{id}`);
  const retry: PriorityStream = { name: "retry", key: keyOf({ name: "retry" }), priority: undefined, weight: 0 };
  const byPriority = priorities.map((name, index): PriorityStream => {
    return { name, key: keyOf({ name }), priority: name, weight: 2 ** (priorities.length - 1 - index) };
  });
  const byName = new Map(byPriority.map((stream) => [stream.name, stream]));
  return {
    retry,
    priorities,
    streams: [retry, ...byPriority],
    delayed: keyOf({ name: "delayed" }),
    dead: keyOf({ name: "dead" }),
    of: (priority) => byName.get(priority) ?? choiceOption<never>("priority", priority, priorities as never),
    marker: (id) => marker({ id }),
  };
}

function assertPriorities(priorities: unknown): asserts priorities is readonly string[] {
  if (!Array.isArray(priorities) || priorities.length < 1 || priorities.length > 16) {
    const got = Array.isArray(priorities) ? `${priorities.length} names` : quoted(priorities);
    throw new ConfigError("priorities", `Expected \`priorities\` to be a list of 1 to 16 names, got ${got}`);
  }
  const words = `a name of letters, digits, ".", "-" and "_" (not ${reserved.join(", ")})`;
  for (const name of priorities as unknown[]) {
    if (typeof name === "string" && /^[\w.-]{1,64}$/.test(name) && !reserved.includes(name)) continue;
    throw new ConfigError("priorities", `Expected each of \`priorities\` to be ${words}, got ${quoted(name)}`);
  }
  if (new Set(priorities).size < priorities.length) {
    const got = JSON.stringify(priorities).slice(0, 200);
    throw new ConfigError("priorities", `Expected \`priorities\` to name each once, got ${got}`);
  }
}
