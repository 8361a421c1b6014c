import { type CommandError, isCommandError, type Reply } from "@continuum-cache/core";
import { type Script, scriptByLua } from "@continuum-cache/core/kit";
import { index } from "../numbers/integer.ts";
import { type Bulk, handOut, legible, toBulk, word } from "../values/bulk.ts";
import { refusal, syntaxError, unsupported, wrongArity } from "../values/refusals.ts";
import { type CommandContext, type CommandRow, type CommandRows, row, type ScriptRules } from "./command-row.ts";

/** Lua itself can't be run here. */
export const noLua = (): CommandError =>
  unsupported(
    "ERR The memory backend runs no Lua: it knows only the scripts that this process has defined with defineScript",
  );

export const isKnownScript = (lua: Bulk | undefined): boolean =>
  typeof lua === "string" && scriptByLua(lua) !== undefined;

/** A script by its text. @throws CommandError when this process has not defined it. */
function scriptOf(lua: Bulk): Script {
  const script = typeof lua === "string" ? scriptByLua(lua) : undefined;
  if (!script) throw noLua();
  return script;
}

/** Runs the TypeScript face. What a script has written before it fails stays written, as in Redis. */
function runFace(context: CommandContext, script: Script, rules: ScriptRules, keys: string[], args: Bulk[]): Reply {
  const call = (name: string, ...words: (string | number | Uint8Array)[]): Reply => {
    const reply = context.run(name, words.map(toBulk), rules);
    if (isCommandError(reply)) throw reply;
    return reply;
  };
  try {
    return script.memory({ call, keys, args: args.map(handOut) });
  } catch (error) {
    if (isCommandError(error)) return error;
    const failure = unsupported(`ERR The TypeScript face of the script "${script.name}" failed`);
    Object.defineProperty(failure, "cause", { value: error });
    return failure;
  }
}

const evaluate = (rules: ScriptRules, find: (context: CommandContext, body: Bulk) => Script): CommandRow =>
  row(-3, (context, [body, numkeys, ...rest]) => {
    const count = index(numkeys);
    if (count > rest.length) throw refusal("ERR Number of keys can't be greater than number of args");
    if (count < 0) throw refusal("ERR Number of keys can't be negative");
    const script = find(context, body);
    const keys = rest.slice(0, count).map((key) => {
      if (typeof key !== "string") throw unsupported("ERR The memory backend runs scripts on keys of text only");
      return key;
    });
    return runFace(context, script, rules, keys, rest.slice(count));
  });

const byText = ({ scripts }: CommandContext, lua: Bulk): Script => {
  const script = scriptOf(lua);
  scripts.set(script.sha1, script);
  return script;
};

const byHash = ({ scripts }: CommandContext, sha1: Bulk): Script => {
  const script = scripts.get(word(sha1).toLowerCase());
  if (!script) throw refusal("NOSCRIPT No matching script. Please use EVAL.");
  return script;
};

const writing: ScriptRules = { readOnly: false };
const reading: ScriptRules = { readOnly: true };

export const scripting: CommandRows = {
  EVAL: evaluate(writing, byText),
  EVALSHA: evaluate(writing, byHash),
  EVAL_RO: evaluate(reading, byText),
  EVALSHA_RO: evaluate(reading, byHash),
  SCRIPT: row(-2, (context, [subcommand, ...words]) => {
    const name = word(subcommand);
    const expectWords = (least: number, most: number): void => {
      if (words.length < least || words.length > most) throw wrongArity(`script|${name}`);
    };
    switch (name) {
      case "LOAD": {
        expectWords(1, 1);
        return byText(context, words[0] as Bulk).sha1;
      }
      case "EXISTS":
        expectWords(1, Number.POSITIVE_INFINITY);
        return words.map((sha1) => (context.scripts.has(word(sha1).toLowerCase()) ? 1 : 0));
      case "FLUSH":
        if (words.length > 1 || (words.length === 1 && !["ASYNC", "SYNC"].includes(word(words[0])))) {
          throw refusal("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
        }
        context.scripts.clear();
        return "OK";
      case "KILL":
        expectWords(0, 0);
        throw refusal("NOTBUSY No scripts in execution right now.");
      case "":
        throw syntaxError();
      default:
        throw unsupported(`ERR unknown subcommand '${legible(subcommand)}'. Try SCRIPT HELP.`);
    }
  }),
};
