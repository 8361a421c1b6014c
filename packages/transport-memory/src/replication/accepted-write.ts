import type { Reply } from "@continuum-cache/core";
import type { Entry } from "../keyspace/keyspace.ts";
import type { Bulk } from "../values/bulk.ts";

/** A write that the memory has accepted, and the means to see what it has left behind. */
export interface AcceptedWrite {
  /** The command's name, upper case. */
  readonly name: string;
  readonly args: readonly Bulk[];
  readonly reply: Reply;
  /** When it ran, in milliseconds since 1970. */
  readonly nowMs: number;
  /** What stands under a key now. To be looked at at once, not to be kept or changed. */
  at(key: Bulk): Entry | undefined;
}
