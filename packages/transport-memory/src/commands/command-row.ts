import type { CommandError, Reply } from "@continuum-cache/core";
import type { Script } from "@continuum-cache/core/kit";
import type { Keyspace } from "../keyspace/keyspace.ts";
import { type Bulk, legible, word } from "../values/bulk.ts";
import { unsupported, wrongArity } from "../values/refusals.ts";
import type { Channels } from "./channels.ts";
import type { ServerFacts } from "./server-facts.ts";
import type { Digest } from "./string-options.ts";

/** What a command may use. */
export interface CommandContext {
  /** The command's own name, upper case. */
  readonly name: string;
  /** The subcommand as it was typed, where there is one. */
  readonly subcommand?: Bulk;
  readonly keyspace: Keyspace;
  readonly channels: Channels;
  readonly server: ServerFacts;
  /** The time of this trip. As within a transaction of Redis, no key expires in the middle of it. */
  readonly nowMs: number;
  /** What DIGEST, IFDEQ and IFDNE compute, where the memory was given it. */
  readonly digest: Digest | undefined;
  /** The scripts that EVALSHA finds, by SHA-1. */
  readonly scripts: Map<string, Script>;
  /** Runs another command, on behalf of a script. */
  run(name: string, args: readonly Bulk[], rules: ScriptRules): Reply;
}

/** What a script may do. */
export interface ScriptRules {
  readonly readOnly: boolean;
}

/** The arguments that a command of this arity is sure to have. */
interface ArgumentsByArity {
  1: readonly [];
  2: readonly [Bulk];
  3: readonly [Bulk, Bulk];
  4: readonly [Bulk, Bulk, Bulk];
  5: readonly [Bulk, Bulk, Bulk, Bulk];
  [-1]: readonly Bulk[];
  [-2]: readonly [Bulk, ...Bulk[]];
  [-3]: readonly [Bulk, Bulk, ...Bulk[]];
  [-4]: readonly [Bulk, Bulk, Bulk, ...Bulk[]];
  [-5]: readonly [Bulk, Bulk, Bulk, Bulk, ...Bulk[]];
  [-6]: readonly [Bulk, Bulk, Bulk, Bulk, Bulk, ...Bulk[]];
  [-7]: readonly [Bulk, Bulk, Bulk, Bulk, Bulk, Bulk, ...Bulk[]];
}

/** One command. `arity`: how many words it takes, its own name included; negative: at least so many. */
export interface CommandRow {
  readonly arity: number;
  /** The error of its subcommand, if there is one. Called before any command of the trip runs. */
  faultOf?(name: string, args: readonly Bulk[]): CommandError | undefined;
  /** Returns the reply, or throws the `CommandError` that is the reply. */
  run(context: CommandContext, args: readonly Bulk[]): Reply;
}

/** Commands by their names, upper case. */
export type CommandRows = Readonly<Record<string, CommandRow>>;

/** The arity is checked before `run` is called, so the arguments exist. */
export function row<Arity extends keyof ArgumentsByArity>(
  arity: Arity,
  run: (context: CommandContext, args: ArgumentsByArity[Arity]) => Reply,
): CommandRow {
  return { arity, run: run as unknown as CommandRow["run"] };
}

/** Whether so many words, the name included, are right for a row. */
export function hasArity(row: CommandRow, words: number): boolean {
  return row.arity >= 0 ? words === row.arity : words >= -row.arity;
}

/** A command with subcommands: its first argument names a row, whose arity counts from that name on. */
export function withSubcommands(rows: CommandRows): CommandRow {
  const known = new Map(Object.entries(rows));
  return {
    arity: -2,
    faultOf(name, [subcommand = "", ...args]) {
      const sub = known.get(word(subcommand));
      if (!sub) return unsupported(`ERR unknown subcommand '${legible(subcommand).slice(0, 128)}'. Try ${name} HELP.`);
      return hasArity(sub, args.length + 1) ? undefined : wrongArity(`${name}|${word(subcommand)}`);
    },
    run(context, [subcommand = "", ...args]) {
      const sub = known.get(word(subcommand));
      if (!sub)
        throw unsupported(`ERR unknown subcommand '${legible(subcommand).slice(0, 128)}'. Try ${context.name} HELP.`);
      return sub.run({ ...context, subcommand }, args);
    },
  };
}
