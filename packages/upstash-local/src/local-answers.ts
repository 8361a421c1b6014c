import { type Command, CommandError, type Reply } from "@continuum-cache/core";
import { argumentText } from "./argument-text.ts";
import type { Authorization } from "./authorization.ts";
import { notAvailable, wrongRestTokenUser } from "./service-texts.ts";

/** Commands that the service answers otherwise than the engine would. */
export interface LocalAnswers {
  /** `undefined` when the engine is to answer. */
  answer(command: Command): Reply | undefined;
}

/** The only setting that the service lets anybody see or change. */
const openSetting = "notify-keyspace-events";

export function createLocalAnswers(authorization: Authorization): LocalAnswers {
  const answers: Readonly<Record<string, (args: readonly string[]) => Reply | undefined>> = {
    COMMAND: () => [],
    // Nothing to wait for: there are no replicas here, and waiting would hold up the connection that all requests share.
    WAIT: (args) => (args.length === 2 ? 0 : wrongArity("wait")),
    WAITAOF: (args) => (args.length === 3 ? [0, 0] : wrongArity("waitaof")),
    UNLINK: (keys) => (keys.length === 0 ? 0 : undefined),
    ACL: ([, user = "", password = ""]) => {
      const access = authorization.accessOfToken(password);
      const owner = access === "read-only" ? "default_ro" : "default";
      // A user's password is its token here.
      return access && user === owner ? password : new CommandError(wrongRestTokenUser(user));
    },
    CONFIG: ([subcommand = "", ...settings]) => {
      if (settings[0]?.toLowerCase() === openSetting) return undefined;
      if (subcommand.toUpperCase() === "GET") return settings.length > 0 ? [] : undefined;
      if (subcommand.toUpperCase() === "SET") return new CommandError(notAvailable("CONFIG"));
      return undefined;
    },
  };

  return {
    answer: ([name, ...args]) =>
      Object.hasOwn(answers, name) ? answers[name]?.(args.map((arg) => argumentText(arg))) : undefined,
  };
}

const wrongArity = (name: string): CommandError =>
  new CommandError(`ERR wrong number of arguments for '${name}' command`);
