import type { Contender, ServerAddress, Subject } from "../contender.ts";
import { openFlexible } from "./flexible.ts";
import { openOurs } from "./ours.ts";
import { openUpstash } from "./upstash.ts";

/** What there is to know of a contender before it is opened. */
export interface ContenderFacts {
  readonly title: string;
  /** Whether a call is given back by what proved it: once, and never another call. */
  readonly hasReceipts: boolean;
  /** Whether it speaks the REST API too. */
  readonly overRest: boolean;
  /** Whether it has windows of this length. */
  offers(subject: Subject): boolean;
  open(server: ServerAddress): Contender;
}

const ours = { hasReceipts: true, overRest: true, offers: () => true };
const upstash = { hasReceipts: false, overRest: true, offers: () => true };

/** The contenders, by the names that command lines and files give them. */
export type ContenderName = "ours" | "ours-deny-cache" | "ours-log" | "upstash" | "upstash-deny-cache" | "flexible";

const catalog: Readonly<Record<ContenderName, ContenderFacts>> = {
  ours: {
    ...ours,
    title: "continuum-cache, sliding-window, no deny cache",
    open: (server) => openOurs(server, { algorithm: "sliding-window", denyCache: false }),
  },
  "ours-deny-cache": {
    ...ours,
    title: "continuum-cache, sliding-window (default)",
    open: (server) => openOurs(server, { algorithm: "sliding-window", denyCache: true }),
  },
  "ours-log": {
    ...ours,
    title: "continuum-cache, sliding-log, no deny cache",
    open: (server) => openOurs(server, { algorithm: "sliding-log", denyCache: false }),
  },
  upstash: {
    ...upstash,
    title: "@upstash/ratelimit, slidingWindow, no deny cache",
    open: (server) => openUpstash(server, { algorithm: "slidingWindow", denyCache: false }),
  },
  "upstash-deny-cache": {
    ...upstash,
    title: "@upstash/ratelimit, slidingWindow (default)",
    open: (server) => openUpstash(server, { algorithm: "slidingWindow", denyCache: true }),
  },
  flexible: {
    title: "rate-limiter-flexible (default)",
    hasReceipts: false,
    overRest: false,
    // Shorter ones are cut down to 0 seconds: their keys would never expire.
    offers: ({ windowMs }) => windowMs % 1_000 === 0,
    open: (server) => openFlexible(server, { denyCache: false }),
  },
};

export const contenderNames: readonly ContenderName[] = Object.keys(catalog) as ContenderName[];

export const factsOf = (name: ContenderName): ContenderFacts => catalog[name];
