import { NotHttp } from "../http-errors.ts";
import { type ByteStore, createByteStore } from "./byte-store.ts";
import { framingOf, idleLimitMs, parseHead, type ReplyHead } from "./reply-head.ts";

/** A reply that has come as a whole. */
export interface WholeReply extends ReplyHead {
  /** The body as UTF-8; `undefined` when it is over the limit, and then its rest is not read. */
  readonly text: string | undefined;
  /** How long its connection may be idle and serve again, in milliseconds; 0 when it can't serve again. */
  readonly idleLimitMs: number;
}

/** Reads the replies of one connection, one after the other. */
export interface ReplyReader {
  /** Whether a part of the next reply has come. */
  readonly hasBegun: boolean;
  /**
   * Reads a piece. Returns the reply that it completes, if any; the reader then expects the next one. What follows in
   * the same piece was not asked for: it is dropped, and the connection can't serve again.
   *
   * @throws NotHttp when the bytes break the grammar of HTTP/1; the connection is then of no use.
   */
  read(bytes: Buffer, maxBodyBytes: number): WholeReply | undefined;
  /** The connection has ended. Returns the reply that it completes, or `undefined` when one was cut short. */
  end(): WholeReply | undefined;
}

/** What the reader waits for. */
type State =
  | { readonly phase: "head"; readonly skippedBytes: number }
  | { readonly phase: "body"; readonly head: Head; readonly left: number }
  | { readonly phase: "body until close"; readonly head: Head }
  | { readonly phase: "chunk size"; readonly head: Head }
  | { readonly phase: "end of chunk"; readonly head: Head }
  | { readonly phase: "chunk"; readonly head: Head; readonly left: number }
  | { readonly phase: "trailer"; readonly head: Head; readonly bytes: number }
  | { readonly phase: "done"; readonly head: Head; readonly text: string | undefined };

interface Head extends ReplyHead {
  readonly idleLimitMs: number;
}

/** A piece that is being read, and what earlier pieces have left. */
interface Piece {
  readonly bytes: Buffer;
  readonly maxBodyBytes: number;
  /** A head or a line whose end has not come yet. */
  readonly unfinished: ByteStore;
  readonly body: ByteStore;
}

/** What comes next, and where in the piece. */
interface Step {
  readonly state: State;
  readonly at: number;
}

/** As many bytes of heads, or of trailers, may come with one reply. */
export const maxHeadBytes = 16_384;
/** The line with the size of a chunk may be as long. */
const maxSizeLineBytes = 1_024;
/** An idle connection is closed before the server, or something between, is likely to do so unseen. */
const longestIdleMs = 30_000;

const protocol = "HTTP/1.";
const lineFeed = 0x0a;
const sizeLine = /^([\da-f]{1,8})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/i;
const fieldLine = /^[!#$%&'*+\-.^_`|~\w]+:[\t\x20-\x7e\x80-\xff]*$/;
const start: State = { phase: "head", skippedBytes: 0 };

export function createReplyReader(): ReplyReader {
  const unfinished = createByteStore();
  const body = createByteStore();
  let state: State = start;

  const completed = (head: Head, text: string | undefined, mayServeAgain: boolean): WholeReply => {
    state = start;
    unfinished.clear();
    body.clear();
    const { status, header, idleLimitMs: limitMs } = head;
    return { status, header, text, idleLimitMs: mayServeAgain && text !== undefined ? limitMs : 0 };
  };

  return {
    get hasBegun() {
      return state !== start || unfinished.length > 0;
    },
    read(bytes, maxBodyBytes) {
      const piece: Piece = { bytes, maxBodyBytes, unfinished, body };
      let at = 0;
      while (at < bytes.length && state.phase !== "done") {
        const step = next(state, piece, at);
        state = step.state;
        at = step.at;
      }
      return state.phase === "done" ? completed(state.head, state.text, at === bytes.length) : undefined;
    },
    end: () => (state.phase === "body until close" ? completed(state.head, textOf(body), false) : undefined),
  };
}

/** Reads on in a piece until the state changes, or the piece ends. */
function next(state: Exclude<State, { phase: "done" }>, piece: Piece, at: number): Step {
  const { bytes, maxBodyBytes, body } = piece;
  switch (state.phase) {
    case "head":
      return readHead(state.skippedBytes, piece, at);
    case "body":
      return readBody(state.head, state.left, piece, at);
    case "body until close":
      if (body.length + bytes.length - at > maxBodyBytes) return tooLong(state.head, bytes);
      body.append(bytes.subarray(at));
      return { state, at: bytes.length };
    case "chunk": {
      const end = Math.min(at + state.left, bytes.length);
      body.append(bytes.subarray(at, end));
      const left = state.left - (end - at);
      return { state: left === 0 ? { phase: "end of chunk", head: state.head } : { ...state, left }, at: end };
    }
    case "chunk size":
    case "end of chunk":
    case "trailer":
      return readLine(state, piece, at);
  }
}

function readHead(skippedBytes: number, { bytes, unfinished, maxBodyBytes }: Piece, from: number): Step {
  const before = unfinished.length;
  // The whole head is in this piece, almost always.
  const wholeEnd = before === 0 ? bytes.indexOf("\r\n\r\n", from, "latin1") : -1;
  let text = wholeEnd < 0 ? undefined : bytes.toString("latin1", from, wholeEnd);
  let at = wholeEnd + 4;
  if (text === undefined) {
    unfinished.append(bytes.subarray(from, from + maxHeadBytes + 4));
    const all = unfinished.bytes();
    const end = all.indexOf("\r\n\r\n", Math.max(0, before - 3), "latin1");
    text = end < 0 ? undefined : all.toString("latin1", 0, end);
    at = end < 0 ? bytes.length : from + end + 4 - before;
  }
  const size = skippedBytes + (text?.length ?? unfinished.length);
  if (size > maxHeadBytes) throw new NotHttp(`over ${maxHeadBytes} bytes of headers`);
  if (text === undefined) {
    // What speaks another protocol may never send the end of a head.
    const beginning = unfinished.bytes().toString("latin1", 0, protocol.length);
    if (!protocol.startsWith(beginning)) throw new NotHttp("no HTTP/1 status line");
    return { state: { phase: "head", skippedBytes }, at };
  }
  unfinished.clear();
  const state = afterHead(parseHead(text), text.startsWith("HTTP/1.0") ? "1.0" : "1.1", size);
  if (state.phase !== "body") return { state, at };
  if (state.left > maxBodyBytes) return tooLong(state.head, bytes);
  return { state: state.left === 0 ? { phase: "done", head: state.head, text: "" } : state, at };
}

/** What comes after a head: its body, or another head when this one was only preliminary. */
function afterHead(reply: ReplyHead, version: "1.0" | "1.1", size: number): State {
  if (reply.status === 101) throw new NotHttp("a change of protocols");
  if (reply.status < 200) return { phase: "head", skippedBytes: size };
  const { status, header } = reply;
  const head: Head = { status, header, idleLimitMs: idleLimitMs(version, reply, longestIdleMs) };
  const framing = framingOf(reply);
  switch (framing.kind) {
    case "none":
      return { phase: "body", head, left: 0 };
    case "length":
      return { phase: "body", head, left: framing.bytes };
    case "chunked":
      // HTTP/1.0 has no chunks: its connection is not to be trusted after them.
      return { phase: "chunk size", head: version === "1.0" ? { ...head, idleLimitMs: 0 } : head };
    case "until close":
      return { phase: "body until close", head };
  }
}

function readBody(head: Head, left: number, { bytes, body }: Piece, at: number): Step {
  const end = at + left;
  if (end > bytes.length) {
    body.append(bytes.subarray(at));
    return { state: { phase: "body", head, left: end - bytes.length }, at: bytes.length };
  }
  if (body.length === 0) return { state: { phase: "done", head, text: bytes.toString("utf8", at, end) }, at: end };
  body.append(bytes.subarray(at, end));
  return { state: { phase: "done", head, text: textOf(body) }, at: end };
}

type LineState = Extract<State, { phase: "chunk size" | "end of chunk" | "trailer" }>;

function readLine(state: LineState, piece: Piece, from: number): Step {
  const { bytes, unfinished, body, maxBodyBytes } = piece;
  const end = bytes.indexOf(lineFeed, from);
  const part = bytes.subarray(from, end < 0 ? undefined : end);
  if (unfinished.length + part.length > longestLineOf(state)) throw new NotHttp("a line that is too long");
  unfinished.append(part);
  if (end < 0) return { state, at: bytes.length };
  const line = unfinished.bytes().toString("latin1");
  unfinished.clear();
  if (!line.endsWith("\r")) throw new NotHttp("a line that does not end with CR LF");
  return { state: afterLine(state, line.slice(0, -1), body, maxBodyBytes), at: end + 1 };
}

function longestLineOf(state: LineState): number {
  if (state.phase === "chunk size") return maxSizeLineBytes;
  return state.phase === "end of chunk" ? 1 : maxHeadBytes - state.bytes;
}

function afterLine(state: LineState, line: string, body: ByteStore, maxBodyBytes: number): State {
  const { head } = state;
  switch (state.phase) {
    case "chunk size": {
      const size = sizeLine.exec(line)?.[1];
      if (size === undefined) throw new NotHttp("a malformed chunk");
      const left = Number.parseInt(size, 16);
      if (left === 0) return { phase: "trailer", head, bytes: 0 };
      if (body.length + left > maxBodyBytes) return { phase: "done", head, text: undefined };
      return { phase: "chunk", head, left };
    }
    case "end of chunk":
      if (line !== "") throw new NotHttp("a chunk that is longer than it says");
      return { phase: "chunk size", head };
    case "trailer":
      if (line === "") return { phase: "done", head, text: textOf(body) };
      if (!fieldLine.test(line)) throw new NotHttp("a malformed header");
      return { phase: "trailer", head, bytes: state.bytes + line.length };
  }
}

const textOf = (body: ByteStore): string => body.bytes().toString("utf8");

/** The rest of a body that is over the limit is not read. */
const tooLong = (head: Head, bytes: Buffer): Step => ({
  state: { phase: "done", head, text: undefined },
  at: bytes.length,
});
