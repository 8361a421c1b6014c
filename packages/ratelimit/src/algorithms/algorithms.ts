import type { Algorithm } from "../types.ts";
import type { Counter } from "./counter.ts";
import { fixedWindow } from "./fixed-window.ts";
import { createLimitScripts, type LimitScripts } from "./limit-script.ts";
import { quantumOf, slidingWindow } from "./sliding-window.ts";
import { tokenBucket } from "./token-bucket.ts";

/** The properties of an algorithm. */
export interface AlgorithmFacts {
  readonly scripts: LimitScripts;
  readonly counter: Counter;
  /** The end of its keys, behind the length of the window. Algorithms with the same suffix share their counts. */
  readonly suffix: string;
  /** The counter's `extra`. */
  extra(windowUs: number, limit: number, burst: number): number;
  /** Whether each call becomes free by itself, one window after it was admitted. */
  readonly slides: boolean;
  /** Whether each call has a unique time. */
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
