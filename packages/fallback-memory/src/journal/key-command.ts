import type { Argument } from "@continuum-cache/core";
import type { Otherwise } from "@continuum-cache/transport-memory/kit";

/** A command's name, with its subcommand if there is one, and what follows the key. */
export interface KeyCommand {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly otherwise?: Otherwise;
}
