import { handOut, word } from "../values/bulk.ts";
import { syntaxError, wrongArity } from "../values/refusals.ts";
import { type CommandRows, row } from "./command-row.ts";
import { infoText } from "./info.ts";

const flush = row(-1, ({ keyspace }, words) => {
  if (words.length > 1 || (words.length === 1 && !["ASYNC", "SYNC"].includes(word(words[0])))) throw syntaxError();
  keyspace.clear();
  return "OK";
});

export const server: CommandRows = {
  PING: row(-1, ({ name }, [message, ...more]) => {
    if (more.length > 0) throw wrongArity(name);
    return message === undefined ? "PONG" : handOut(message);
  }),
  ECHO: row(2, (_context, [message]) => handOut(message)),
  TIME: row(1, ({ nowMs }) => {
    const microseconds = Math.floor(nowMs * 1_000);
    return [String(Math.floor(microseconds / 1_000_000)), String(microseconds % 1_000_000)];
  }),
  INFO: row(-1, (context, sections) => infoText(context, sections.map(word))),
  DBSIZE: row(1, ({ keyspace }) => keyspace.size()),
  FLUSHDB: flush,
  FLUSHALL: flush,
};
