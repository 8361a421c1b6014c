import { defineScript, isCommandError, type Script, type ScriptContext } from "@continuum-cache/core";
import { type Outgoing, plainOutgoing } from "./outgoing.ts";
import type { Source } from "./queue-keys.ts";
import type { AcceptedPush, AcceptedPushes } from "./recent-pushes.ts";

/**
 * Pushes many plain messages to one stream, in order. What Redis refuses ends it: the messages before it are in the stream,
 * those behind it are not. Messages and ids are lines of one text each: a word for each of them would take longer to write
 * and to read, on both sides, than all the rest of a push.
 *
 * KEYS: the stream. ARGV: least id that is kept ("": no matter), then the lines: id and text of each message, by turns.
 * Returns the entries' ids as lines; behind them, if one was refused, "-" and why.
 */
export const pushManyScript: Script = defineScript({
  name: "queue-push-many",
  keys: 1,
  lua: `local key, floor, lines = KEYS[1], ARGV[1], ARGV[2]
local call, find, sub = redis.pcall, string.find, string.sub
local ids, from = {}, 1
repeat
  local middle = find(lines, "\\n", from, true)
  local last = (find(lines, "\\n", middle + 1, true) or #lines + 1) - 1
  local message, text = sub(lines, from, middle - 1), sub(lines, middle + 1, last)
  local id
  if floor ~= "" then
    id = call("XADD", key, "MINID", "~", floor, "*", "i", message, "e", text)
    floor = ""
  else
    id = call("XADD", key, "*", "i", message, "e", text)
  end
  local isRefused = type(id) == "table"
  ids[#ids + 1] = isRefused and "-" .. id.err or id
  from = last + 2
until isRefused or from > #lines + 1
return table.concat(ids, "\\n")`,
  memory: pushMany,
});

function pushMany({ call, keys: [key = ""], args }: ScriptContext): string {
  const [floor = "", lines = ""] = args.map(String);
  const words = lines.split("\n");
  const ids: string[] = [];
  for (let at = 0; at + 1 < words.length; at += 2) {
    const trim = floor !== "" && at === 0 ? ["MINID", "~", floor] : [];
    try {
      ids.push(String(call("XADD", key, ...trim, "*", "i", words[at] ?? "", "e", words[at + 1] ?? "")));
    } catch (error) {
      if (!isCommandError(error)) throw error;
      ids.push(`-${error.message}`);
      break;
    }
  }
  return ids.join("\n");
}

/** The messages as the script takes them. No text has more than one line: see `toMessageText`. */
export function toLines(outs: readonly Outgoing[]): string {
  const words: string[] = [];
  for (const { id, text } of outs) words.push(id, text);
  return words.join("\n");
}

/** What the script has pushed, as it was sent and answered: a few texts for any number of messages. */
export class AcceptedLines implements AcceptedPushes {
  readonly count: number;
  readonly bytes: number;
  readonly #source: Source;
  readonly #lines: string;
  readonly #entryIds: string;

  /** @param entryIds - Of the first messages, as lines; at least one. */
  constructor(source: Source, lines: string, entryIds: string, count: number) {
    this.count = count;
    this.bytes = lines.length + entryIds.length;
    this.#source = source;
    this.#lines = lines;
    this.#entryIds = entryIds;
  }

  get lastEntryId(): string {
    return this.#entryIds.slice(this.#entryIds.lastIndexOf("\n") + 1);
  }

  *ids(): Generator<string> {
    const words = this.#lines.split("\n");
    for (let at = 0; at < this.count; at++) yield words[2 * at] as string;
  }

  each(): AcceptedPush[] {
    const words = this.#lines.split("\n");
    return this.#entryIds.split("\n").map((entryId, at) => {
      const out = plainOutgoing(words[2 * at] as string, words[2 * at + 1] as string, this.#source);
      return { out, entryId };
    });
  }
}
