import type { Reply } from "@continuum-cache/core";
import type { Entry } from "../keyspace/keyspace.ts";
import type { Bulk } from "../values/bulk.ts";

/** A write command that took effect in the memory. */
export interface AppliedWrite {
  /** The command's name, upper case. */
  readonly name: string;
  readonly args: readonly Bulk[];
  readonly reply: Reply;
  /** When it ran, in milliseconds since 1970. */
  readonly nowMs: number;
  /** The entry under a key after the write. Read it before the listener returns; do not keep or change it. */
  at(key: Bulk): Entry | undefined;
}

/**
 * The effect of a write, as a replica needs it: no conditions, no relative times, one key each. The same writes in
 * the same order on an empty memory make the same memory.
 */
export type CanonicalWrite =
  | { readonly kind: "delete"; readonly key: Bulk }
  | {
      readonly kind: "set";
      readonly key: Bulk;
      readonly value: Bulk;
      readonly expiresAtMs: number;
      readonly keepTtl: boolean;
    }
  | { readonly kind: "add"; readonly key: Bulk; readonly difference: bigint }
  | { readonly kind: "push"; readonly key: Bulk; readonly end: "head" | "tail"; readonly items: readonly Bulk[] }
  | { readonly kind: "pop"; readonly key: Bulk; readonly end: "head" | "tail"; readonly count: number }
  | { readonly kind: "expire"; readonly key: Bulk; readonly expiresAtMs: number }
  /** Any other change of one key, as the command that makes it. */
  | ({
      readonly kind: "change";
      readonly key: Bulk;
      /** Applies only where the whole value of the key is known here. */
      readonly ifWhole?: true;
    } & KeyCommand)
  | { readonly kind: "flush" };

/** A write to one key. */
export type KeyWrite = Exclude<CanonicalWrite, { kind: "flush" }>;

/** A command without its key: the name, with its subcommand if there is one, and the arguments that follow the key. */
export interface KeyCommand {
  readonly name: string;
  readonly args: readonly Bulk[];
  readonly otherwise?: Otherwise;
}

/** The value of one argument to use instead, if the primary refuses the command. */
export interface Otherwise {
  readonly place: number;
  readonly arg: Bulk;
}
