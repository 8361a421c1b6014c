import { NotHttp } from "../http-errors.ts";

/** The head of a reply: its status and its header fields. */
export interface ReplyHead {
  readonly status: number;
  /** The value of a field; several fields of one name are joined by commas. */
  header(name: string): string | undefined;
}

/** Where the body of a reply ends. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until close" };

/** A status line, then fields: a name, a colon, a value without control characters. Nothing else is HTTP/1. */
const wellFormed =
  /^HTTP\/1\.[01] [1-5]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?(?:\r\n[!#$%&'*+\-.^_`|~\w]+:[\t\x20-\x7e\x80-\xff]*)*$/;

/** Reads a head, without the blank line that ends it. @throws NotHttp when it breaks the grammar of HTTP/1. */
export function parseHead(text: string): ReplyHead {
  if (!wellFormed.test(text)) {
    throw new NotHttp(text.startsWith("HTTP/1.") ? "a malformed header" : "no HTTP/1 status line");
  }
  const lower = text.toLowerCase();
  return {
    status: Number(text.slice(9, 12)),
    header(name) {
      const start = `\r\n${name.toLowerCase()}:`;
      let value: string | undefined;
      for (let at = lower.indexOf(start); at >= 0; at = lower.indexOf(start, at + start.length)) {
        const end = text.indexOf("\r\n", at + start.length);
        const own = text.slice(at + start.length, end < 0 ? undefined : end).trim();
        value = value === undefined ? own : `${value}, ${own}`;
      }
      return value;
    },
  };
}

/**
 * Where the body ends. A reply whose fields contradict each other is refused: another program on the way may have found
 * its end elsewhere.
 *
 * @throws NotHttp when the fields don't say it in exactly one way.
 */
export function framingOf({ status, header }: ReplyHead): Framing {
  const length = header("content-length");
  const coding = header("transfer-encoding");
  if (status === 204 || status === 304) return { kind: "none" };
  if (coding !== undefined) {
    if (length !== undefined) throw new NotHttp("both a content-length and a transfer-encoding");
    if (coding.toLowerCase() !== "chunked") throw new NotHttp("a transfer-encoding that was not asked for");
    return { kind: "chunked" };
  }
  if (length === undefined) return { kind: "until close" };
  // Of several fields the values are joined by a comma, which is no digit.
  if (!/^\d{1,15}$/.test(length)) throw new NotHttp("a malformed content-length");
  return { kind: "length", bytes: Number(length) };
}

/** Servers that say when they close an idle connection are believed, less this. */
const hintMarginMs = 1_000;

/**
 * How long the connection may be idle after this reply and be used again, in milliseconds; 0 when the server closes
 * it now.
 */
export function idleLimitMs(version: "1.0" | "1.1", { header }: ReplyHead, longestMs: number): number {
  const said = header("connection")?.toLowerCase() ?? "";
  const words = said === "" ? [] : said.split(",").map((word) => word.trim());
  if (words.includes("close") || (version === "1.0" && !words.includes("keep-alive"))) return 0;
  const seconds = /(?:^|[\s,;])timeout=(\d{1,9})/i.exec(header("keep-alive") ?? "")?.[1];
  if (seconds === undefined) return longestMs;
  return Math.min(longestMs, Math.max(0, Number(seconds) * 1_000 - hintMarginMs));
}
