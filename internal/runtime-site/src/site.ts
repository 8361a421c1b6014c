/** Where the servers are that a suite talks to, for programs in any runtime. */
export interface Site {
  readonly restUrl: string;
  readonly restToken: string;
  readonly redisUrl: string;
  readonly controlUrl: string;
  /** Whether the runtime keeps sockets, so that the Redis protocol is to be tested. */
  readonly keepsSockets: boolean;
}

/** What a suite may do to its servers: to the one that speaks REST, and to the Redis behind it. */
export type Deed = "pause" | "resume" | "cut" | "die" | "revive" | "freeze" | "thaw" | "kill" | "restart";

/** Asks the servers of a site to do something, and resolves when it is done. */
export async function deedOf({ controlUrl }: Site, deed: Deed): Promise<void> {
  const response = await fetch(`${controlUrl}/${deed}`, { method: "POST", signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  if (!response.ok) throw new Error(`The servers could not ${deed}: ${text}`);
}
