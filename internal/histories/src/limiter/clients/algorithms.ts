import type { Contender, ServerAddress } from "../contender.ts";
import { openFlexible } from "./flexible.ts";
import { openOurs } from "./ours.ts";
import { openUpstash } from "./upstash.ts";

/** One way to count, in one package: without a deny cache, so that each call is counted by Redis. */
export interface CountingContender {
  readonly title: string;
  open(server: ServerAddress): Contender;
}

const denyCache = false;

/** All ways to count of all packages. */
export const countingContenders: readonly CountingContender[] = [
  ...(["sliding-window", "sliding-log", "fixed-window", "token-bucket"] as const).map((algorithm) => ({
    title: `continuum-cache, ${algorithm}`,
    open: (server: ServerAddress) => openOurs(server, { algorithm, denyCache }),
  })),
  ...(["slidingWindow", "fixedWindow", "tokenBucket"] as const).map((algorithm) => ({
    title: `@upstash/ratelimit, ${algorithm}`,
    open: (server: ServerAddress) => openUpstash(server, { algorithm, denyCache }),
  })),
  { title: "rate-limiter-flexible", open: (server) => openFlexible(server, { denyCache }) },
];
