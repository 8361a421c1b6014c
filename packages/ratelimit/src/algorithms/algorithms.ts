import type { Algorithm } from "../types.ts";
import type { Counter } from "./counter.ts";
import { fixedWindow } from "./fixed-window.ts";
import { createLimitScripts, type LimitScripts } from "./limit-script.ts";
import { quantumOf, slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** What a limiter needs to know of an algorithm. */
export interface AlgorithmFacts {
  readonly scripts: LimitScripts;
  readonly counter: Counter;
  /** What follows the length of the window in its keys; algorithms that share it share what they count. */
  readonly suffix: string;
  /** The counter's `extra`. */
  extra(windowUs: number, limit: number, burst: number): number;
  /** Whether what is used becomes free as the calls grow old, one by one. */
  readonly slides: boolean;
  /** Whether each call is kept by a time of its own. */
  isExact(windowUs: number, limit: number): boolean;
}

const sliding = { counter: slidingWindow, suffix: "", slides: true, scripts: createLimitScripts(slidingWindow) };

export const algorithms: Readonly<Record<Algorithm, AlgorithmFacts>> = {
  "sliding-window": {
    ...sliding,
    extra: quantumOf,
    isExact: (windowUs, limit) => quantumOf(windowUs, limit) === 1,
  },
  "sliding-log": { ...sliding, extra: () => 1, isExact: () => true },
  "fixed-window": {
    counter: fixedWindow,
    suffix: ".fixed",
    slides: false,
    scripts: createLimitScripts(fixedWindow),
    extra: () => 0,
    isExact: () => false,
  },
  "token-bucket": {
    counter: tokenBucket,
    suffix: ".bucket",
    slides: false,
    scripts: createLimitScripts(tokenBucket),
    extra: (_windowUs, _limit, burst) => burst,
    isExact: () => false,
  },
};
