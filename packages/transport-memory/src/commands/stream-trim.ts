import { index, parseInteger } from "../numbers/integer.ts";
import { type Bulk, word } from "../values/bulk.ts";
import { countOf } from "../values/id-order.ts";
import { notAnInteger, refusal, syntaxError } from "../values/refusals.ts";
import { countOlder, dropOldest, type Stream } from "../values/stream.ts";
import { parseId, parsePartialId, type StreamId } from "../values/stream-id.ts";

/** Which entries to remove. */
export type Trim =
  | { readonly by: "length"; readonly keep: number; readonly atMost: number }
  | { readonly by: "id"; readonly from: StreamId; readonly atMost: number };

/** The options before an XADD's id, or of an XTRIM. */
export interface TrimOptions {
  readonly trim: Trim | undefined;
  readonly makesNone: boolean;
  /** How many words were options. */
  readonly words: number;
}

/**
 * Reads the options of XADD (up to the first word that is none: its id) and XTRIM (all words). `~` is read and
 * treated as exact, where Redis may keep up to a node (100 entries) more.
 */
export function trimOptions(args: readonly Bulk[], command: "XADD" | "XTRIM"): TrimOptions {
  let by: { kind: "length"; keep: number } | { kind: "id"; from: StreamId } | undefined;
  let isRough = false;
  let limit: number | undefined;
  let makesNone = false;
  let at = 0;
  for (; at < args.length; at++) {
    const [option, more] = [word(args[at]), args.length - at - 1];
    const isTrim = (option === "MAXLEN" || option === "MINID") && more > 0;
    if (isTrim) {
      if (by) {
        throw refusal("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
      }
      isRough = false;
      const sign = args[at + 1];
      if (more >= 2 && (sign === "~" || sign === "=")) {
        isRough = sign === "~";
        at++;
      }
      at++;
      const bound = args[at] as Bulk;
      by =
        option === "MAXLEN" ? { kind: "length", keep: lengthBound(bound) } : { kind: "id", from: parseId(bound, 0n) };
    } else if (option === "LIMIT" && more > 0) {
      at++;
      limit = limitOf(args[at] as Bulk);
    } else if (command === "XADD" && option === "NOMKSTREAM") {
      makesNone = true;
    } else if (command === "XADD") {
      // An invalid id is reported before options that contradict each other.
      if (args[at] !== "*") parsePartialId(args[at] as Bulk);
      break;
    } else {
      throw syntaxError();
    }
  }
  if (limit && !by) {
    throw refusal("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  }
  if (command === "XTRIM" && !by) throw refusal("ERR syntax error, XTRIM must be called with a trimming strategy");
  if (limit !== undefined && !isRough) {
    throw refusal("ERR syntax error, LIMIT cannot be used without the special ~ option");
  }
  const atMost = limit || Number.POSITIVE_INFINITY;
  const trim: Trim | undefined =
    by && (by.kind === "length" ? { by: "length", keep: by.keep, atMost } : { by: "id", from: by.from, atMost });
  return { trim, makesNone, words: at };
}

/** @returns how many entries were removed. */
export function trimStream(stream: Stream, trim: Trim): number {
  const excess = trim.by === "length" ? countOf(stream.entries) - trim.keep : countOlder(stream, trim.from);
  const doomed = Math.max(0, Math.min(excess, trim.atMost));
  if (doomed > 0) dropOldest(stream, doomed);
  return doomed;
}

function lengthBound(bulk: Bulk): number {
  const keep = parseInteger(bulk);
  if (keep === undefined) throw notAnInteger();
  if (keep < 0n) throw refusal("ERR The MAXLEN argument must be >= 0.");
  return Number(keep);
}

function limitOf(bulk: Bulk): number {
  const limit = index(bulk);
  if (limit < 0) throw refusal("ERR The LIMIT argument must be >= 0.");
  return limit;
}
