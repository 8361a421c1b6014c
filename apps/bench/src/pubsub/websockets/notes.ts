import type { WebSocketPlan } from "./plan.ts";

/** What the processes of a run and the one that leads it tell each other. */
export type Note =
  | { readonly is: "listening" | "connect" | "connected" | "thaw" | "stop" }
  /** From the server, once a second. */
  | { readonly is: "sample"; readonly lagging: number; readonly tooSlow: number }
  /** To the clients: how many messages there were. */
  | { readonly is: "published"; readonly all: number; readonly wide: number };

export type Task =
  | { readonly is: "server"; readonly plan: WebSocketPlan; readonly port: number; readonly redisUrl: string }
  | {
      readonly is: "clients";
      readonly plan: WebSocketPlan;
      readonly port: number;
      readonly from: number;
      readonly to: number;
    };

/** What a server process saw of itself, in bytes and milliseconds. */
export interface ServerFindings {
  readonly is: "server";
  readonly rss: { readonly before: number; readonly connected: number; readonly peak: number; readonly after: number };
  /** The most that waited in all sockets together. */
  readonly peakBuffered: number;
  readonly peakLagging: number;
  readonly tooSlow: number;
  /** The longest that the event loop was busy without a pause, after all had connected. */
  readonly longestTurnMs: number;
}

/** What a client process found. */
export interface ClientFindings {
  readonly is: "clients";
  readonly clients: number;
  /** Messages that came on the channel that all listen to. */
  readonly messages: number;
  /** Clients that did not get every message once and in order. */
  readonly incomplete: number;
  /** Clients for which messages and told gaps of the wide channel do not add up. */
  readonly miscounted: number;
  /** Messages of the wide channel that the thawed ones were told they had missed. */
  readonly toldMissed: number;
  /** Clients that were closed, and had all after coming back. */
  readonly resumed: number;
  /** From publishing to arrival at clients that were never frozen; sorted, thinned out. */
  readonly latenciesMs: readonly number[];
}
