/** What a chunk of replies holds that its reader must know before the chunk is parsed. */
export interface ScannedChunk {
  /** Why these bytes cannot be replies of Redis. The connection must be closed, and nothing of the chunk be parsed. */
  readonly problem: string | undefined;
  /** The replies that end in the chunk and of which their reader must know more than their parser tells. */
  readonly marked: readonly MarkedReply[];
}

export interface MarkedReply {
  /** Where it begins, or goes on, in the chunk, and where it ends. */
  readonly start: number;
  readonly end: number;
  /** Whether it is `+QUEUED`, which only commands inside MULTI get. */
  readonly isQueued: boolean;
  /** Its integers of `longInteger` and more, as they came, in their order. */
  readonly longIntegers: readonly number[];
}

/** From about here on, positive or negative, the parser of ioredis 6 rounds integers, also those that a number holds exactly. */
export const longInteger: number = 2 ** 53 - 64;

/**
 * What one reply may claim. The parser allocates and recurses by what a reply claims to hold, not by what has arrived, so
 * a few bytes could end the process.
 */
const limits = { depth: 128, items: 2 ** 23, textBytes: 512 * 2 ** 20, lineBytes: 2 ** 20, digits: 20 };

const code = (character: string): number => character.charCodeAt(0);
const [cr, lf, minus, plus, zero, nine, colon] = [
  13,
  10,
  code("-"),
  code("+"),
  code("0"),
  code("9"),
  code(":"),
] as const;
/** Types that take the rest of the line; that have a length and then a text; and how many items nested ones have for each of their count. */
const lineTypes: ReadonlySet<number> = new Set([..."+-,(#_"].map(code));
const textTypes: ReadonlySet<number> = new Set([..."$=!"].map(code));
const nestedTypes: ReadonlyMap<number, number> = new Map([..."*~>%"].map((type) => [code(type), type === "%" ? 2 : 1]));
/** Of what a line may consist: how many bytes, or which. */
const anyLine: { readonly bytes?: number; readonly only?: ReadonlySet<number> } = {};
const lineRules: ReadonlyMap<number, typeof anyLine> = new Map([
  [code("_"), { bytes: 0 }],
  [code("#"), { bytes: 1 }],
  [code("("), { only: new Set([..."+-0123456789"].map(code)) }],
  [code(","), { only: new Set([..."+-0123456789.eEinfa"].map(code)) }],
]);
const [verbatim, push] = [code("="), code(">")] as const;
const queuedText = [..."QUEUED"].map(code);

const nothing: readonly never[] = [];

/**
 * Follows the frames of one connection's replies, RESP2 and RESP3, without building anything: it reads the type and the
 * length of each frame and steps over what is in it.
 */
export class ReplyScanner {
  /** What the next byte is. */
  #expects: "type" | "line" | "line-end" | "number" | "number-end" | "text" | "text-end" | "text-end-2" = "type";
  #type = 0;
  #number = 0;
  #isSigned = false;
  #isNegative = false;
  /** Of the line or the number. */
  #bytes = 0;
  /** How many bytes of the text are missing. */
  #missing = 0;
  /** How many items are missing of each array that is open, the outermost first. */
  readonly #open: number[] = [];
  /** How many items the current reply has claimed so far. */
  #items = 0;
  /** How much of QUEUED the current line has matched; -1 when it is another line. */
  #matched = -1;
  #problem: string | undefined;
  #start = 0;
  #longIntegers: number[] | undefined;
  #marked: MarkedReply[] | undefined;

  scan(chunk: Uint8Array): ScannedChunk {
    this.#start = 0;
    this.#marked = undefined;
    let at = 0;
    while (at < chunk.length && this.#problem === undefined) {
      if (this.#expects === "text") {
        const taken = Math.min(this.#missing, chunk.length - at);
        at += taken;
        this.#missing -= taken;
        if (this.#missing === 0) this.#expects = "text-end";
      } else {
        this.#problem = this.#take(chunk[at] as number, at);
        at++;
      }
    }
    return { problem: this.#problem, marked: this.#marked ?? nothing };
  }

  /** @returns what is wrong with the byte */
  #take(byte: number, at: number): string | undefined {
    switch (this.#expects) {
      case "type":
        return this.#begin(byte, at);
      case "line":
        return this.#takeOfLine(byte);
      case "number":
        return this.#takeOfNumber(byte);
      case "line-end":
        if (byte !== lf) return "a line that does not end with CRLF";
        this.#complete(at + 1);
        return undefined;
      case "number-end":
        return byte === lf ? this.#counted(at + 1) : "a line that does not end with CRLF";
      case "text-end":
        this.#expects = "text-end-2";
        return byte === cr ? undefined : "a text that is longer than it claims to be";
      default:
        if (byte !== lf) return "a text that is longer than it claims to be";
        this.#complete(at + 1);
        return undefined;
    }
  }

  #begin(byte: number, at: number): string | undefined {
    if (this.#open.length === 0) this.#start = at;
    this.#type = byte;
    this.#bytes = 0;
    this.#number = 0;
    this.#isSigned = false;
    this.#isNegative = false;
    this.#matched = byte === plus && this.#open.length === 0 ? 0 : -1;
    if (byte === push && this.#open.length > 0) return "a push inside another reply";
    if (byte === colon || textTypes.has(byte) || nestedTypes.has(byte)) this.#expects = "number";
    else if (lineTypes.has(byte)) this.#expects = "line";
    else return `a reply of the unknown type ${byte}`;
    return undefined;
  }

  #takeOfLine(byte: number): string | undefined {
    const { bytes: exactly, only } = lineRules.get(this.#type) ?? anyLine;
    if (byte === cr && (exactly === undefined || this.#bytes === exactly)) {
      this.#expects = "line-end";
      return undefined;
    }
    if (++this.#bytes > (exactly ?? limits.lineBytes))
      return `a line of more than ${exactly ?? limits.lineBytes} bytes`;
    if (byte === cr || only?.has(byte) === false) return "a line of another form than its type has";
    if (this.#matched >= 0) this.#matched = byte === queuedText[this.#matched] ? this.#matched + 1 : -1;
    return undefined;
  }

  #takeOfNumber(byte: number): string | undefined {
    const isSign = byte === minus || byte === plus;
    if (byte === cr && this.#bytes > 0) this.#expects = "number-end";
    else if (isSign && this.#bytes === 0 && !this.#isSigned) {
      this.#isSigned = true;
      this.#isNegative = byte === minus;
    } else if (byte >= zero && byte <= nine && ++this.#bytes <= limits.digits) {
      this.#number = this.#number * 10 + (byte - zero);
    } else return "a number that is none";
    return undefined;
  }

  /** A number is complete: it is a reply by itself, or the length of what follows. */
  #counted(end: number): string | undefined {
    const isNull = this.#isNegative && this.#number === 1;
    if (this.#type === colon && this.#number >= longInteger) {
      this.#longIntegers ??= [];
      this.#longIntegers.push(this.#isNegative ? -this.#number : this.#number);
    }
    if (this.#type === colon || isNull) {
      this.#complete(end);
      return undefined;
    }
    if (this.#isNegative) return "a negative length";
    const factor = nestedTypes.get(this.#type);
    if (factor !== undefined) return this.#openArray(this.#number * factor, end);
    if (this.#type === verbatim && this.#number < 4) return "a text without its format";
    if (this.#number > limits.textBytes) return `a text of more than ${limits.textBytes} bytes`;
    this.#missing = this.#number;
    this.#expects = this.#missing === 0 ? "text-end" : "text";
    return undefined;
  }

  #openArray(items: number, end: number): string | undefined {
    this.#items += items;
    if (this.#items > limits.items) return `a reply of more than ${limits.items} items`;
    if (items === 0) {
      this.#complete(end);
      return undefined;
    }
    if (this.#open.push(items) > limits.depth) return `arrays that are nested more than ${limits.depth} deep`;
    this.#expects = "type";
    return undefined;
  }

  /** A frame is complete, and so are the arrays of which it was the last item. */
  #complete(end: number): void {
    this.#expects = "type";
    const isQueued = this.#matched === queuedText.length;
    this.#matched = -1;
    const open = this.#open;
    while (open.length > 0) {
      const left = (open[open.length - 1] as number) - 1;
      open[open.length - 1] = left;
      if (left > 0) return;
      open.pop();
    }
    this.#items = 0;
    if (isQueued || this.#longIntegers) {
      this.#marked ??= [];
      this.#marked.push({ start: this.#start, end, isQueued, longIntegers: this.#longIntegers ?? nothing });
      this.#longIntegers = undefined;
    }
  }
}
