import type { IncomingHttpHeaders } from "node:http";
import { type Command, isCommandError, type Reply } from "@continuum-cache/core";
import { RequestError } from "../errors/request-error.ts";
import { respBytes } from "./resp2.ts";

/** How replies are written. */
export type ResponseFormat = "json" | "base64" | "resp2";

/** A reply with its command: in RESP, the type of some replies depends on the command. */
export interface Answered {
  readonly command: Command;
  readonly reply: Reply;
}

export interface ResponseBody {
  readonly body: Buffer;
  readonly contentType: "application/json" | "application/octet-stream";
}

/** @throws RequestError 400 when the headers ask for an unknown format, or for two at once. */
export function formatOf(headers: IncomingHttpHeaders): ResponseFormat {
  const format = String(headers["upstash-response-format"] ?? "json").toLowerCase();
  const base64 = String(headers["upstash-encoding"] ?? "").toLowerCase() === "base64";
  if (format !== "json" && format !== "resp2") {
    throw new RequestError(400, 'ERR Upstash-Response-Format must be "json" or "resp2"');
  }
  if (format === "resp2" && base64) {
    throw new RequestError(400, "ERR Upstash-Response-Format: resp2 can't be combined with Upstash-Encoding: base64");
  }
  return format === "resp2" ? "resp2" : base64 ? "base64" : "json";
}

/** One reply by itself. */
export function singleBody({ command, reply }: Answered, format: ResponseFormat): ResponseBody {
  return format === "resp2" ? resp([respBytes(command, reply)]) : json(slot(reply, format));
}

/** The replies of a list. In RESP they follow one another. */
export function listBody(answered: readonly Answered[], format: ResponseFormat): ResponseBody {
  return format === "resp2"
    ? resp(answered.map(({ command, reply }) => respBytes(command, reply)))
    : {
        body: jsonList(
          answered.map(
            ({ reply }) =>
              () =>
                JSON.stringify(slot(reply, format)),
          ),
        ),
        contentType: "application/json",
      };
}

/** Texts of this length are turned into bytes together. */
const chunkCharacters = 64 << 10;

/** Writes a JSON array element by element: as one text it would need a large heap. */
function jsonList(elements: readonly (() => string)[]): Buffer {
  const chunks: Buffer[] = [];
  let text = "[";
  for (const [index, element] of elements.entries()) {
    text += index === 0 ? element() : `,${element()}`;
    if (text.length < chunkCharacters) continue;
    chunks.push(Buffer.from(text));
    text = "";
  }
  return Buffer.concat([...chunks, Buffer.from(`${text}]`)]);
}

export const errorBody = (text: string): ResponseBody => json({ error: text });

const json = (value: unknown): ResponseBody => ({
  body: Buffer.from(JSON.stringify(value)),
  contentType: "application/json",
});

const resp = (replies: readonly Buffer[]): ResponseBody => ({
  body: Buffer.concat(replies),
  contentType: "application/octet-stream",
});

type Slot = { readonly result: unknown } | { readonly error: string };

function slot(reply: Reply, format: "json" | "base64"): Slot {
  if (isCommandError(reply)) return { error: reply.message };
  // Clients tell `OK` from base64 by its length. Inside arrays they would decode it, so it is encoded there.
  if (format === "json" || reply === "OK") return { result: plain(reply) };
  return { result: encoded(reply) };
}

function plain(reply: Reply): unknown {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("utf8");
  if (isCommandError(reply)) return reply.message;
  return Array.isArray(reply) ? reply.map(plain) : reply;
}

function encoded(reply: Reply): unknown {
  if (typeof reply === "string") return Buffer.from(reply, "utf8").toString("base64");
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString("base64");
  if (isCommandError(reply)) return Buffer.from(reply.message, "utf8").toString("base64");
  return Array.isArray(reply) ? reply.map(encoded) : reply;
}
