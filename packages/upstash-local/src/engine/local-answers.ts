import { type Command, CommandError, type Reply } from "@continuum-cache/core";
import { matchesGlob } from "@continuum-cache/core/kit";
import { argumentText } from "../protocol/argument-text.ts";
import { notRunning, wrongRestTokenUser } from "../protocol/service-texts.ts";
import type { Authorization } from "../request/authorization.ts";
import { openSetting } from "./command-policy.ts";

/** Commands that the service answers differently than the engine. */
export interface LocalAnswers {
  /** The answer; `undefined` when the engine must answer. */
  answer(command: Command): Reply | undefined;
  /** The command to send instead of one that would reach beyond the single database of the service. */
  rewrite(command: Command): Command;
}

export function createLocalAnswers(authorization: Authorization): LocalAnswers {
  const answers: Readonly<Record<string, (args: readonly string[]) => Reply | undefined>> = {
    COMMAND: () => [],
    // Nothing to wait for: there are no replicas here, and waiting would hold up the connection that all requests
    // share.
    WAIT: (args) => (args.length === 2 ? 0 : wrongArity("wait")),
    WAITAOF: (args) => (args.length === 3 ? [0, 0] : wrongArity("waitaof")),
    UNLINK: (keys) => (keys.length === 0 ? 0 : undefined),
    ACL: ([, user = "", password = ""]) => {
      const access = authorization.accessOfToken(password);
      const owner = access === "read-only" ? "default_ro" : "default";
      // The password of a user is its token.
      return access && user === owner ? password : new CommandError(wrongRestTokenUser(user));
    },
    // Only one setting is shown: the others belong to the operator of the Redis behind this server.
    CONFIG: ([subcommand = "", ...settings]) => {
      const shows = settings.some((pattern) => matchesGlob(pattern.toLowerCase(), openSetting));
      return subcommand.toUpperCase() === "GET" && settings.length > 0 && !shows ? [] : undefined;
    },
    // As the service does: a running script belongs to another request.
    SCRIPT: ([subcommand = ""]) =>
      subcommand.toUpperCase() === "KILL" ? new CommandError(notRunning("scripts")) : undefined,
    FUNCTION: ([subcommand = ""]) =>
      subcommand.toUpperCase() === "KILL" ? new CommandError(notRunning("functions")) : undefined,
  };

  return {
    answer: ([name, ...args]) =>
      Object.hasOwn(answers, name) ? answers[name]?.(args.map((arg) => argumentText(arg))) : undefined,
    rewrite(command) {
      const [name, subcommand, ...rest] = command;
      if (name === "FLUSHALL") return subcommand === undefined ? ["FLUSHDB"] : ["FLUSHDB", subcommand, ...rest];
      const readsSettings = name === "CONFIG" && argumentText(subcommand).toUpperCase() === "GET" && rest.length > 0;
      return readsSettings ? ["CONFIG", "GET", openSetting] : command;
    },
  };
}

const wrongArity = (name: string): CommandError =>
  new CommandError(`ERR wrong number of arguments for '${name}' command`);
