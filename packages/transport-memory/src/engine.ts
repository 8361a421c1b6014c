import {
  type Argument,
  type Clock,
  type Command,
  CommandError,
  isCommandError,
  type Reply,
} from "@continuum-cache/core";
import { compileGlob, isWrite, type Script } from "@continuum-cache/core/kit";
import type { Channels } from "./commands/channels.ts";
import { type CommandContext, type CommandRow, hasArity, type ScriptRules } from "./commands/command-row.ts";
import { counters } from "./commands/counters.ts";
import { expiry } from "./commands/expiry.ts";
import { hashes } from "./commands/hashes.ts";
import { keys } from "./commands/keys.ts";
import { lists } from "./commands/lists.ts";
import { messages } from "./commands/messages.ts";
import { scan } from "./commands/scan.ts";
import { isKnownScript, noLua, scripting } from "./commands/scripting.ts";
import { server } from "./commands/server.ts";
import { createServerFacts } from "./commands/server-facts.ts";
import { sortedSetRanges } from "./commands/sorted-set-ranges.ts";
import { sortedSets } from "./commands/sorted-sets.ts";
import { streamClaims } from "./commands/stream-claims.ts";
import { streamGroups } from "./commands/stream-groups.ts";
import { streamInfo } from "./commands/stream-info.ts";
import { streamReads } from "./commands/stream-reads.ts";
import { streams } from "./commands/streams.ts";
import type { Digest } from "./commands/string-options.ts";
import { strings } from "./commands/strings.ts";
import { createKeyspace } from "./keyspace/keyspace.ts";
import type { AppliedWrite } from "./replication/canonical-write.ts";
import { type Bulk, toBulk, word } from "./values/bulk.ts";
import { isUnsupported, refusal, unknownCommand, unsupported, wrongArity } from "./values/refusals.ts";

/** The commands of Redis on the memory of this process. */
export interface Engine {
  /**
   * Runs a trip from beginning to end, with nothing in between.
   *
   * @throws TypeError when an argument is invalid, before any command has run.
   */
  run(commands: readonly Command[], atomic: boolean): Reply[];
  /** Removes the keys that match a glob, in slices. Keys that are written meanwhile stay. */
  forget(glob: string): Promise<void>;
}

/** All rows, by name. */
export const commandRows: ReadonlyMap<string, CommandRow> = new Map(
  [
    ...[strings, counters, keys, expiry, scan, hashes, lists, sortedSets, sortedSetRanges],
    ...[streams, streamReads, streamGroups, streamClaims, streamInfo],
    ...[server, scripting, messages],
  ].flatMap(Object.entries),
);

/**
 * The commands that are reported to `onWrite`. The writes of a script are reported one by one, as Redis does to its
 * replicas.
 */
const reportedWrites: ReadonlySet<string> = new Set(
  [...commandRows.keys()].filter((name) => isWrite([name]) && !(name in scripting)),
);

/** A parsed command: what to run, or its error. */
type Order =
  | { readonly name: string; readonly row: CommandRow; readonly args: readonly Bulk[] }
  | { readonly error: CommandError };

export function createEngine(options: {
  readonly maxBytes: number;
  readonly maxEntries?: number;
  readonly clock: Clock;
  readonly channels: Channels;
  readonly digest?: Digest | undefined;
  /** Called with each write as soon as it has taken effect; with those of a script one by one. */
  readonly onWrite: (write: AppliedWrite) => void;
}): Engine {
  const { clock, channels, digest, onWrite } = options;
  let nowMs = clock.now();
  const keyspace = createKeyspace({ ...options, now: () => nowMs });
  const facts = createServerFacts(nowMs);
  const scripts = new Map<string, Script>();

  const execute = (name: string, row: CommandRow, args: readonly Bulk[]): Reply => {
    facts.count(name);
    try {
      const context = { name, keyspace, channels, server: facts, nowMs, digest, scripts, run: runForScript };
      const reply = row.run(context, args);
      if (reportedWrites.has(name)) onWrite({ name, args, reply, nowMs, at: (key) => keyspace.peek(key) });
      return reply;
    } catch (error) {
      if (isCommandError(error)) return error;
      throw error;
    }
  };

  const runForScript: CommandContext["run"] = (name, args, rules) => {
    const known = name.toUpperCase();
    const row = commandRows.get(known);
    const error = row
      ? scriptFault(known, row, args, rules)
      : unsupported("ERR Unknown Redis command called from script");
    return row && !error ? execute(known, row, args) : (error ?? null);
  };

  return {
    run(commands, atomic) {
      const [first] = commands;
      if (first !== undefined && commands.length === 1) {
        const order = orderOf(first);
        nowMs = clock.now();
        return ["error" in order ? order.error : execute(order.name, order.row, order.args)];
      }
      const orders = commands.map(orderOf);
      nowMs = clock.now();
      const isVoid = atomic && orders.some((order) => "error" in order);
      return orders.map((order) => {
        if ("error" in order) return order.error;
        return isVoid ? aborted() : execute(order.name, order.row, order.args);
      });
    },
    forget(glob) {
      nowMs = clock.now();
      return keyspace.removeWhere(compileGlob(glob));
    },
  };
}

/** What this memory lacks for a command, as far as that is known before the command runs: the error message. */
export function lackFor(command: Command): string | undefined {
  const order = orderOf(command);
  if ("error" in order) return isUnsupported(order.error) ? order.error.message : undefined;
  const isScript = order.name === "EVAL" || order.name === "EVAL_RO";
  return isScript && !isKnownScript(order.args[0]) ? noLua().message : undefined;
}

function orderOf(command: Command): Order {
  const [typed] = command;
  const args: Bulk[] = [];
  for (let at = 1; at < command.length; at++) args.push(toBulk(command[at] as Argument));
  // Nearly all names come in upper case.
  const isKnown = commandRows.has(typed);
  const name = isKnown ? typed : word(toBulk(typed));
  const row = commandRows.get(name);
  if (!row) return { error: unknownCommand(typed) };
  const error = hasArity(row, command.length) ? row.faultOf?.(name, args) : wrongArity(name);
  return error ? { error } : { name, row, args };
}

function scriptFault(
  name: string,
  row: CommandRow,
  args: readonly Bulk[],
  { readOnly }: ScriptRules,
): CommandError | undefined {
  if (name in scripting) return refusal("ERR This Redis command is not allowed from script");
  if (!hasArity(row, args.length + 1) || row.faultOf?.(name, args))
    return refusal("ERR Wrong number of args calling Redis command from script");
  // In a read-only script Redis counts PUBLISH as a write, since it reaches the replicas.
  if (readOnly && (isWrite([name]) || name in messages)) {
    return refusal("ERR Write commands are not allowed from read-only scripts.");
  }
  return undefined;
}

const aborted = (): CommandError => new CommandError("EXECABORT Transaction discarded because of previous errors.");
