import { type Command, CommandError, isTransportError, type Reply, type TransportError } from "@continuum-cache/core";
import { errorFromRedis, factsOf, isPossibleReply, isWrite } from "@continuum-cache/core/kit";
import { notAnAnswer, nowUnknown, restError, restName } from "../rest-error.ts";
import { fromBase64 } from "./base64.ts";
import { keyPositions } from "./binary-body.ts";
import type { Answer } from "./endpoint.ts";

/** What came of one command: its reply, a refusal of Redis among them, or that it (or its reply) is too large. */
export type Outcome = Reply | TransportError;

/** Whether the answer is one reply, or a list with one for each command. */
export type AnswerForm = "one" | "list";

/** No reply of Redis is nested so deeply. */
const maxDepth = 100;
/** Each array in an answer takes some 40 bytes of memory for as few as three characters. */
const maxArrays = 5_000_000;
/** Shorter answers hold so few that they need not be counted. */
const uncountedCharacters = 1 << 20;

/**
 * Reads an answer: one outcome for each command. A refusal of the request as a whole stands in the place of each.
 *
 * @throws TransportError when the answer is none, when it can't be the answer to these commands, or when a refusal is
 * neither about a command nor about its size.
 */
export function outcomesOf(answer: Answer, form: AnswerForm, commands: readonly Command[]): Outcome[] {
  const parsed = parse(answer);
  if (isRecord(parsed) && typeof parsed["error"] === "string") {
    const text = parsed["error"];
    const refusals = commands.map((command) => refusalOf(text, command));
    const failed = refusals.find(speaksAgainstServer);
    if (failed) throw failed;
    return refusals;
  }
  if (answer.status !== 200) throw notAnAnswer(answer, answer.text, "no error is named");
  const list = form === "list" ? parsed : [parsed];
  if (!Array.isArray(list)) throw notAnAnswer(answer, answer.text, "not a list of replies");
  if (list.length !== commands.length) {
    throw notAnAnswer(answer, answer.text, `${list.length} replies to ${commands.length} commands`);
  }
  const outcomes = commands.map((command, index) => outcomeOf(list[index], command, answer));
  const failed = outcomes.find(speaksAgainstServer);
  if (failed) throw outcomes.every(isTransportError) ? failed : nowUnknown(failed);
  return outcomes;
}

/** What is too large is about one command; every other failure is about all of them. */
const speaksAgainstServer = (outcome: Outcome): outcome is TransportError =>
  outcome instanceof Error && isTransportError(outcome) && outcome.kind !== "too-large";

function outcomeOf(slot: unknown, command: Command, answer: Answer): Outcome {
  if (isRecord(slot)) {
    if (typeof slot["error"] === "string") return refusalOf(slot["error"], command);
    if (slot["result"] !== undefined) {
      const reply = replyOf(slot["result"], answer);
      if (isPossibleReply(command, reply)) return reply;
      throw notAnAnswer(answer, answer.text, `no ${command[0].slice(0, 40)} has such a reply`);
    }
  }
  throw notAnAnswer(answer, answer.text, "a reply is missing");
}

/** The reply of a slot, in the shapes of RESP2. @throws TransportError when it is of no such shape. */
function replyOf(result: unknown, answer: Answer, depth = 0): Reply {
  if (result === null || typeof result === "number") return result;
  // Three letters short of base64: the one reply that is not encoded.
  if (result === "OK") return "OK";
  if (typeof result === "string") {
    const reply = fromBase64(result);
    if (reply !== undefined) return reply;
    throw notAnAnswer(answer, answer.text, "a text is not base64, as was asked");
  }
  if (!Array.isArray(result)) throw notAnAnswer(answer, answer.text, `a reply is of the type ${typeof result}`);
  if (depth === maxDepth) throw notAnAnswer(answer, answer.text, `a reply is nested over ${maxDepth} levels deep`);
  return result.map((element) => replyOf(element, answer, depth + 1));
}

function parse(answer: Answer): unknown {
  if (answer.text.length > uncountedCharacters && arraysIn(answer.text) > maxArrays) {
    throw notAnAnswer(answer, answer.text, `it holds over ${maxArrays} arrays`);
  }
  try {
    return JSON.parse(answer.text);
  } catch {
    // Not the cause: a parser's error quotes what it read.
    throw notAnAnswer(answer, answer.text, answer.text === "" ? "it is empty" : "it is not JSON");
  }
}

/** Arrays and objects in a JSON text; what is written in base64 has no brackets. */
function arraysIn(json: string): number {
  let count = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) count++;
  }
  return count;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a server, or a proxy, said no with, sorted. */
function refusalOf(text: string, command: Command): CommandError | TransportError {
  const refusal = errorFromRedis(text, restName);
  const said = withoutValues(refusal.message, command);
  if (!isTransportError(refusal)) return said === refusal.message ? refusal : new CommandError(said);
  const hasRun = refusal.kind === "too-large" && isWrite(command) && mayAnswerMuch(command);
  return restError(refusal.kind, said, { delivery: hasRun ? "unknown" : refusal.delivery });
}

/** Of such a command it may be the reply that is too large, and then it has run: LPOP with a count, a script. */
function mayAnswerMuch(command: Command): boolean {
  const { reply } = factsOf(command);
  return !/^(ok|integer)/.test(typeof reply === "function" ? reply(command) : reply);
}

/** So much of an argument is looked for. */
const soughtCharacters = 64;
/** A shorter one may well be a word of the text itself. */
const leastSought = 6;

const decoder = new TextDecoder();

/**
 * Cuts a text off where it begins to repeat a value of the command: a stored value must not reach a log through an
 * error.
 */
function withoutValues(text: string, command: Command): string {
  const isKey = keyPositions(command);
  let shown = text;
  for (const [at, argument] of command.entries()) {
    if (at === 0 || isKey(at)) continue;
    const value = argument instanceof Uint8Array ? decoder.decode(argument.subarray(0, 256)) : String(argument);
    const sought = value.slice(0, soughtCharacters);
    if (sought.length < leastSought) continue;
    for (const written of [sought, JSON.stringify(sought).slice(1, -1)]) {
      const found = shown.indexOf(written);
      if (found >= 0) shown = `${shown.slice(0, found)}…`;
    }
  }
  return shown;
}
