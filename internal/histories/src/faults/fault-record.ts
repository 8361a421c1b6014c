/** What was done to the server, the network or a process. */
export interface FaultRecord {
  readonly kind: "fault";
  readonly name: string;
  /** `kill`: the process ended with it, at `startMs`. `freeze`: it stood still meanwhile. */
  readonly target: "server" | "network" | "kill" | "freeze";
  readonly process?: string;
  readonly startMs: number;
  readonly endMs: number;
  /** The server lost what it had acknowledged last. Since when, at the earliest. */
  readonly forgetsFromMs?: number;
  /** Requests reached the server more than once. */
  readonly isRepeating?: true;
}
