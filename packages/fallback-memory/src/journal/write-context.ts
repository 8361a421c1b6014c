import type { TransportError } from "@continuum-cache/core";
import type { WrittenKeys } from "@continuum-cache/core/kit";
import type { KeyWrite } from "@continuum-cache/transport-memory/kit";
import type { ExpectedStates } from "./expected-states.ts";

/** Whether the primary may have run a write that is journaled. */
export type Delivery = TransportError["delivery"];

/** How to journal a write. */
export interface WriteContext {
  readonly delivery: Delivery;
  /** The states of the key that an earlier process knew. */
  readonly expected?: ExpectedStates | undefined;
  /** The canonical write, if an earlier process has determined it. */
  readonly as?: KeyWrite | undefined;
  /** How many mutations it stands for. @default 1 */
  readonly mutations?: number | undefined;
  /** Keys that the primary has replaced since: what is written to them here is outdated already. */
  readonly replaced?: WrittenKeys;
}
