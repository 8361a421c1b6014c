import { ConfigError } from "../errors/config-error.ts";
import { quoted } from "../errors/quoted.ts";
import { assertOptions, functionOption, type KnownOptions, wholeNumberOption } from "../settings/options.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { type Duration, toMs } from "../time/duration.ts";

/** When a breaker opens, and how long it stays so. */
export interface BreakerOptions {
  /** How many failures in a row open it; at least 1. @default 5 */
  readonly failures?: number;
  /**
   * Opens it as well: the share of failures among the calls of the last `window`, once there were `atLeast` of them.
   * `false` for none. @default { ratio: 0.5, atLeast: 20, window: "10s" }
   */
  readonly sample?: FailureShare | false;
  /** How long it stays open before the first probe; doubles with every probe that fails. @default "250ms" */
  readonly wait?: Duration;
  /** The longest that `wait` may be, and may grow to. @default "30s" */
  readonly maxWait?: Duration;
  /** What time it is. @default systemClock */
  readonly clock?: Clock;
  /** A number of at least 0 and less than 1: spreads the waits of many processes. @default Math.random */
  readonly random?: () => number;
}

/** How large a share of the calls may fail. */
export interface FailureShare {
  /** More than 0, at most 1. */
  readonly ratio: number;
  /** How many calls there must be before their share says anything; at least 1. */
  readonly atLeast: number;
  /** How far back it looks. It is counted in tenths of this. */
  readonly window: Duration;
}

/** The options of a breaker, checked, with defaults. */
export interface BreakerSettings {
  readonly failures: number;
  readonly sample: { readonly ratio: number; readonly atLeast: number; readonly windowMs: number } | undefined;
  readonly waitMs: number;
  readonly maxWaitMs: number;
  readonly clock: Clock;
  readonly random: () => number;
}

const defaultSample: FailureShare = { ratio: 0.5, atLeast: 20, window: "10s" };

const knownOptions: KnownOptions<BreakerOptions> = {
  failures: true,
  sample: true,
  wait: true,
  maxWait: true,
  clock: true,
  random: true,
};
const knownSample: KnownOptions<FailureShare> = { ratio: true, atLeast: true, window: true };

/** @throws ConfigError that quotes what came. */
export function readBreakerOptions(options: BreakerOptions = {}): BreakerSettings {
  assertOptions("breaker", options, knownOptions);
  const { failures = 5, sample = defaultSample, clock = systemClock, random = () => Math.random() } = options;
  functionOption("clock.now", clock?.now ?? clock);
  functionOption("random", random);
  const maxWaitMs = toMs(options.maxWait ?? "30s", "maxWait");
  return {
    failures: wholeNumberOption("failures", failures),
    sample: sample === false ? undefined : readSample(sample),
    waitMs: Math.min(toMs(options.wait ?? "250ms", "wait"), maxWaitMs),
    maxWaitMs,
    clock,
    random,
  };
}

function readSample(sample: FailureShare): NonNullable<BreakerSettings["sample"]> {
  assertOptions("breaker.sample", sample, knownSample);
  const { ratio, atLeast, window } = sample;
  if (!(typeof ratio === "number" && ratio > 0 && ratio <= 1)) {
    throw new ConfigError(
      "sample.ratio",
      `Expected \`sample.ratio\` to be more than 0 and at most 1, got ${quoted(ratio)}`,
    );
  }
  return { ratio, atLeast: wholeNumberOption("sample.atLeast", atLeast), windowMs: toMs(window, "sample.window") };
}
