import { type CommandError, errorFromRedis, isTransportError, type Reply } from "@continuum-cache/core";
import { fromBase64 } from "./base64.ts";
import type { Answer } from "./endpoint.ts";
import { notAnAnswer, nowUnknown, restName } from "./rest-error.ts";

/** One command's part of an answer: what Redis said, still encoded, or its refusal. */
export type Slot = { readonly result: unknown } | CommandError;

/** Whether the answer is one reply, or a list with one for each command. */
export type AnswerForm = "one" | "list";

/**
 * Reads an answer's envelope. A refusal of the request as a whole stands in the place of each command.
 *
 * @throws TransportError when the answer is none, or when a refusal is not about the command.
 */
export function slotsOf(answer: Answer, form: AnswerForm, count: number): Slot[] {
  const parsed = parse(answer);
  if (isRecord(parsed) && typeof parsed["error"] === "string") {
    const refusal = errorFromRedis(parsed["error"], restName);
    if (isTransportError(refusal)) throw refusal;
    return new Array<Slot>(count).fill(refusal);
  }
  if (answer.status !== 200) throw notAnAnswer(answer, answer.text, "no error is named");
  const list = form === "list" ? parsed : [parsed];
  if (!Array.isArray(list)) throw notAnAnswer(answer, answer.text, "not a list of replies");
  if (list.length !== count) throw notAnAnswer(answer, answer.text, `${list.length} replies to ${count} commands`);
  const slots = list.map((slot) => slotOf(slot, answer));
  const failed = slots.find((slot) => isTransportError(slot));
  if (failed) throw slots.every((slot) => isTransportError(slot)) ? failed : nowUnknown(failed);
  return slots as Slot[];
}

function slotOf(slot: unknown, answer: Answer) {
  if (isRecord(slot)) {
    if (typeof slot["error"] === "string") return errorFromRedis(slot["error"], restName);
    if (slot["result"] !== undefined) return { result: slot["result"] };
  }
  throw notAnAnswer(answer, answer.text, "a reply is missing");
}

/** The reply of a slot, in the shapes of RESP2. @throws TransportError when it is of no such shape. */
export function replyOf(result: unknown, answer: Answer): Reply {
  if (result === null || typeof result === "number") return result;
  // Three letters short of base64: the one reply that is not encoded.
  if (result === "OK") return "OK";
  if (typeof result === "string") {
    const reply = fromBase64(result);
    if (reply !== undefined) return reply;
    throw notAnAnswer(answer, answer.text, "a text is not base64, as was asked");
  }
  if (Array.isArray(result)) return result.map((element) => replyOf(element, answer));
  throw notAnAnswer(answer, answer.text, `a reply is of the type ${typeof result}`);
}

function parse(answer: Answer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    // Not the cause: a parser's error quotes what it read.
    throw notAnAnswer(answer, answer.text, answer.text === "" ? "it is empty" : "it is not JSON");
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
