import type { WrittenKeys } from "@continuum-cache/core/kit";
import type { KeyWrite } from "@continuum-cache/transport-memory/kit";

/** Whether the primary may have done a write that is kept here too. */
export type Fate = "none" | "unknown";

/** States of a key that are this process's doing or knowledge, and when each ends by itself. */
export type OwnStates = ReadonlyMap<string, number>;

/** What is known of a write that is taken down. */
export interface Noting {
  readonly fate: Fate;
  /** What an earlier process knew of the key. */
  readonly own?: OwnStates | undefined;
  /** What it comes to, where an earlier process has found out. */
  readonly as?: KeyWrite | undefined;
  /** How many mutations it stands for. @default 1 */
  readonly mutations?: number | undefined;
  /** Keys that the primary has replaced since: what is written to them here is over already. */
  readonly replaced?: WrittenKeys;
}
