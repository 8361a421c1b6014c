import { constants, isAscii, isUtf8 } from "node:buffer";
import { CommandError } from "@continuum-cache/core";
import { errorFromRedis } from "@continuum-cache/core/kit";
import { transportName } from "../tcp-error.ts";
import { GatheredBytes } from "./gathered-bytes.ts";
import type { Slot } from "./replies.ts";
import { cr, lf, limits, longInteger, minus, nine, plus, type ReplyType, typeOf, types, zero } from "./reply-rules.ts";

const queuedText = [..."QUEUED"].map((character) => character.charCodeAt(0));
const anyLine = typeOf[types.simple] as ReplyType;

/**
 * Reads the replies of one connection, RESP2 and RESP3, in one pass that continues across chunks. It checks each byte
 * that carries meaning. It builds the replies for which `begin` asks, in the shapes of RESP2, and skips the others.
 */
export class ReplyReader {
  /** Why what came cannot be replies of Redis. The connection must be closed, and nothing more be read. */
  problem: string | undefined = undefined;
  /** Whether the reply that has ended is `+QUEUED`, which only commands inside MULTI get. */
  isQueued = false;
  /** The integers of `longInteger` and more of the reply that has ended, in their order, when it was not built. */
  longIntegers: number[] | undefined = undefined;
  /** What the next byte is. */
  #expects: "type" | "number" | "number-end" | "line" | "line-end" | "text" | "text-end" | "text-end-2" = "type";
  #type = 0;
  #line: ReplyType = anyLine;
  #number = 0;
  #digits = 0;
  #isSigned = false;
  #isNegative = false;
  /** Of the line so far. */
  #lineBytes = 0;
  /** How much of QUEUED the line has matched; -1 when it is another line. */
  #matched = -1;
  /** How many bytes of the text are missing. */
  #missing = 0;
  /** The beginning of a text or line that this chunk ends with. */
  readonly #gathered = new GatheredBytes();
  /** How many items are missing of each array that is open, the outermost first, and those that have come. */
  readonly #open: number[] = [];
  readonly #arrays: Slot[][] = [];
  /** How many items the reply has claimed so far. */
  #items = 0;
  #isComplete = false;
  #builds = false;
  #errorDepth = 0;
  #value: Slot = null;
  /** Of the chunk that is being read, once that is asked for. */
  #isAscii: boolean | undefined;

  /** Whether the next byte begins a reply. */
  get isBetween(): boolean {
    return this.#expects === "type" && this.#open.length === 0;
  }

  /**
   * Says how to read the next reply.
   *
   * @param builds - Whether to build it.
   * @param errorDepth - How deep in arrays an error may be that is about the connection, and not only about its
   *   command.
   */
  begin(builds: boolean, errorDepth: number): void {
    this.#builds = builds;
    this.#errorDepth = errorDepth;
    this.isQueued = false;
    this.longIntegers = undefined;
  }

  /** Reads on, to the end of one reply. @returns where that is; -1 when the chunk ends before, or there is a problem */
  read(chunk: Buffer, from: number): number {
    if (from === 0) this.#isAscii = undefined;
    this.#isComplete = false;
    let at = from;
    while (at < chunk.length) {
      at = this.#readOn(chunk, at);
      if (this.#isComplete) return at;
      if (this.problem !== undefined) break;
    }
    return -1;
  }

  /** The reply that has ended, once. */
  take(): Slot {
    const value = this.#value;
    this.#value = null;
    return value;
  }

  #readOn(chunk: Buffer, at: number): number {
    switch (this.#expects) {
      case "type":
        return this.#begin(chunk[at] as number, at + 1);
      case "number":
        return this.#readNumber(chunk, at);
      case "number-end":
        return chunk[at] === lf ? this.#counted(at + 1) : this.#fail("a line that does not end with CRLF");
      case "line":
        return this.#readLine(chunk, at);
      case "line-end": {
        if (chunk[at] !== lf) return this.#fail("a line that does not end with CRLF");
        const line = this.#gathered.take();
        return this.#endLine(line, 0, line.length, at + 1);
      }
      case "text":
        return this.#readText(chunk, at);
      case "text-end":
        this.#expects = "text-end-2";
        return chunk[at] === cr ? at + 1 : this.#fail("a text that is longer than it claims to be");
      case "text-end-2": {
        if (chunk[at] !== lf) return this.#fail("a text that is longer than it claims to be");
        const text = this.#gathered.take();
        return this.#endText(text, 0, text.length, this.#builds && isAscii(text), at + 1);
      }
    }
  }

  #begin(byte: number, next: number): number {
    const type = typeOf[byte];
    if (type === undefined) return this.#fail(`a reply of the unknown type ${byte}`);
    if (byte === types.push && this.#open.length > 0) return this.#fail("a push inside another reply");
    this.#type = byte;
    if (type.form === "line") {
      this.#expects = "line";
      this.#line = type;
      this.#lineBytes = 0;
      this.#matched = byte === types.simple && this.#open.length === 0 ? 0 : -1;
    } else {
      this.#expects = "number";
      this.#number = 0;
      this.#digits = 0;
      this.#isSigned = false;
      this.#isNegative = false;
    }
    return next;
  }

  #readNumber(chunk: Buffer, from: number): number {
    let number = this.#number;
    let digits = this.#digits;
    let at = from;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte >= zero && byte <= nine) {
        if (++digits > limits.digits) return this.#fail("a number that is none");
        number = number * 10 + (byte - zero);
      } else if (byte === cr && digits > 0) {
        this.#number = number;
        if (chunk[at + 1] === lf) return this.#counted(at + 2);
        this.#expects = "number-end";
        return at + 1;
      } else if ((byte === minus || byte === plus) && digits === 0 && !this.#isSigned) {
        this.#isSigned = true;
        this.#isNegative = byte === minus;
      } else return this.#fail("a number that is none");
    }
    this.#number = number;
    this.#digits = digits;
    return at;
  }

  /** A number is complete: it is a reply by itself, or the length of what follows. */
  #counted(next: number): number {
    const number = this.#number;
    if (this.#type === types.integer) {
      const integer = this.#isNegative ? -number : number;
      if (!this.#builds && number >= longInteger) {
        this.longIntegers ??= [];
        this.longIntegers.push(integer);
      }
      return this.#complete(integer, next);
    }
    if (this.#isNegative) return number === 1 ? this.#complete(null, next) : this.#fail("a negative length");
    const { form, factor } = typeOf[this.#type] as ReplyType;
    if (form === "items") return this.#openArray(number * factor, next);
    if (this.#type === types.verbatim && number < 4) return this.#fail("a text without its format");
    if (number > limits.textBytes) return this.#fail(`a text of more than ${limits.textBytes} bytes`);
    this.#missing = number;
    this.#expects = "text";
    return next;
  }

  #openArray(items: number, next: number): number {
    this.#items += items;
    if (this.#items > limits.items) return this.#fail(`a reply of more than ${limits.items} items`);
    if (items === 0) return this.#complete(this.#builds ? [] : null, next);
    if (this.#open.push(items) > limits.depth) {
      return this.#fail(`arrays that are nested more than ${limits.depth} deep`);
    }
    if (this.#builds) this.#arrays.push([]);
    this.#expects = "type";
    return next;
  }

  #readLine(chunk: Buffer, from: number): number {
    const { bytes: exactly, only } = this.#line;
    let end = from;
    for (; end < chunk.length; end++) {
      const byte = chunk[end] as number;
      if (byte === cr) break;
      if (only?.has(byte) === false) return this.#fail("a line of another form than its type has");
      if (this.#matched >= 0) this.#matched = byte === queuedText[this.#matched] ? this.#matched + 1 : -1;
    }
    this.#lineBytes += end - from;
    if (this.#lineBytes > (exactly ?? limits.lineBytes)) {
      return this.#fail(`a line of more than ${exactly ?? limits.lineBytes} bytes`);
    }
    const isWhole = chunk[end] === cr;
    if (isWhole && exactly !== undefined && this.#lineBytes < exactly) {
      return this.#fail("a line of another form than its type has");
    }
    if (chunk[end + 1] === lf && isWhole && this.#gathered.length === 0)
      return this.#endLine(chunk, from, end, end + 2);
    if (this.#builds) this.#gathered.add(chunk, from, end, limits.lineBytes);
    if (!isWhole) return end;
    this.#expects = "line-end";
    return end + 1;
  }

  #endLine(bytes: Buffer, from: number, to: number, next: number): number {
    this.isQueued = this.#matched === queuedText.length;
    if (!this.#builds) return this.#complete(null, next);
    if (this.#type === types.error) return this.#complete(this.#toError(bytes.toString("utf8", from, to)), next);
    if (this.#type === types.null) return this.#complete(null, next);
    if (this.#type === types.boolean) return this.#complete(bytes[from] === 0x74 ? 1 : 0, next);
    const isOk = to - from === 2 && bytes[from] === 0x4f && bytes[from + 1] === 0x4b;
    return this.#complete(isOk ? "OK" : toTextOrBytes(bytes, from, to, false), next);
  }

  #readText(chunk: Buffer, from: number): number {
    const end = from + this.#missing;
    if (this.#gathered.length === 0 && end + 1 < chunk.length) {
      if (chunk[end] !== cr || chunk[end + 1] !== lf) return this.#fail("a text that is longer than it claims to be");
      if (this.#builds) this.#isAscii ??= isAscii(chunk);
      return this.#endText(chunk, from, end, this.#isAscii ?? false, end + 2);
    }
    const taken = Math.min(this.#missing, chunk.length - from);
    this.#missing -= taken;
    if (this.#builds) this.#gathered.add(chunk, from, from + taken, this.#missing);
    if (this.#missing === 0) this.#expects = "text-end";
    return from + taken;
  }

  #endText(bytes: Buffer, from: number, to: number, isAsciiOnly: boolean, next: number): number {
    if (!this.#builds) return this.#complete(null, next);
    // The format of a verbatim text stands before it, such as "txt:".
    const start = this.#type === types.verbatim ? from + 4 : from;
    if (this.#type === types.blobError) return this.#complete(this.#toError(bytes.toString("utf8", from, to)), next);
    return this.#complete(toTextOrBytes(bytes, start, to, isAsciiOnly), next);
  }

  #toError(text: string): Slot {
    return this.#open.length <= this.#errorDepth ? errorFromRedis(text, transportName) : new CommandError(text);
  }

  /** A value is complete, and so are the arrays of which it was the last item. */
  #complete(value: Slot, next: number): number {
    this.#expects = "type";
    const open = this.#open;
    let whole = value;
    while (open.length > 0) {
      if (this.#builds) this.#arrays[open.length - 1]?.push(whole);
      const left = (open[open.length - 1] as number) - 1;
      open[open.length - 1] = left;
      if (left > 0) return next;
      open.pop();
      if (this.#builds) whole = this.#arrays.pop() as Slot;
    }
    this.#items = 0;
    this.#value = this.#builds ? whole : null;
    this.#isComplete = true;
    return next;
  }

  #fail(problem: string): number {
    this.problem = problem;
    return -1;
  }
}

/**
 * A part of a chunk as text, or as a copy when it is none: a view would keep the whole chunk in memory.
 *
 * @param isAsciiOnly - Whether the chunk is known to hold nothing else.
 */
function toTextOrBytes(chunk: Buffer, from: number, to: number, isAsciiOnly: boolean): string | Uint8Array {
  // Redis stores a few bytes more than a string can hold.
  if (to - from > constants.MAX_STRING_LENGTH) return new Uint8Array(chunk.subarray(from, to));
  if (isAsciiOnly) return chunk.toString("latin1", from, to);
  const text = chunk.toString("utf8", from, to);
  // What is no UTF-8 becomes U+FFFD, which may also stand there as itself.
  if (text.includes("\ufffd") && !isUtf8(chunk.subarray(from, to))) return new Uint8Array(chunk.subarray(from, to));
  return text;
}
