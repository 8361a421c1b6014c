import type { Command, TransportError } from "@continuum-cache/core";
import { isRepeatableTrip } from "@continuum-cache/core/kit";
import { carriedArguments, isText, rawBodyPost, withTextForms } from "../request/binary-body.ts";
import type { Payload, Post } from "../request/endpoint.ts";
import type { AnswerForm } from "../request/rest-reply.ts";
import { restError } from "../rest-error.ts";

/** One request of a trip. */
export interface TripRequest {
  readonly post: Post;
  readonly form: AnswerForm;
  /** The trip's commands that it carries. */
  readonly commands: readonly Command[];
}

export interface TripRules {
  readonly atomic: boolean;
  readonly maxRequestBytes: number;
}

/** Longer pipelines are sent in parts, as the official client does. */
const maxCommands = 1_000;

/**
 * Splits a trip into requests that can carry it, to be sent one after the other. Almost always that is one.
 *
 * @throws TransportError of delivery `none` when a command can't be carried, or an atomic trip is too large.
 */
export function planTrip(commands: readonly Command[], { atomic, maxRequestBytes }: TripRules): TripRequest[] {
  const only = commands.length === 1 && !atomic ? commands[0] : undefined;
  if (only) return [singleRequest(only)];

  const requests: TripRequest[] = [];
  let texts: Written[] = [];
  const flush = () => {
    if (texts.length > 0) requests.push(...listRequests(texts, atomic, maxRequestBytes));
    texts = [];
  };
  for (const command of commands) {
    const carried = carriedArguments(command);
    const args = isText(carried) ? carried : withTextForms(command, carried);
    if (isText(args)) {
      texts.push({ command, args });
      continue;
    }
    const raw = atomic ? undefined : rawBodyPost(args);
    if (!raw) throw cannotCarry(command, atomic);
    flush();
    requests.push(requestOf(raw, "one", [command]));
  }
  flush();
  return requests;
}

/** A command, and the text of its arguments. */
interface Written {
  readonly command: Command;
  readonly args: readonly string[];
}

const requestOf = (
  { path, body, contentType }: Payload,
  form: AnswerForm,
  commands: readonly Command[],
): TripRequest => ({
  post: { path, body, contentType, isRepeatable: () => isRepeatableTrip(commands) },
  form,
  commands,
});

function singleRequest(command: Command): TripRequest {
  const args = carriedArguments(command);
  if (isText(args)) return requestOf(json("/", JSON.stringify(args)), "one", [command]);
  const raw = rawBodyPost(args);
  if (raw) return requestOf(raw, "one", [command]);
  const texts = withTextForms(command, args);
  if (!isText(texts)) throw cannotCarry(command, false);
  return requestOf(json("/", JSON.stringify(texts)), "one", [command]);
}

/** Commands of text alone: one list, or several where one would be too long. */
function listRequests(all: readonly Written[], atomic: boolean, maxRequestBytes: number): TripRequest[] {
  // Escaped, and as bytes, they take more: that is looked at where they might fit.
  const characters = all.reduce((sum, { args }) => args.reduce((own, arg) => own + arg.length, sum), 0);
  const mostCommands = atomic ? all.length : maxCommands;
  let parts = characters / maxRequestBytes;
  if (all.length === 1 || (parts <= 1 && all.length <= mostCommands)) {
    const body = JSON.stringify(all.map(({ args }) => args));
    // No character takes more than three bytes, so this spares counting them.
    if (body.length * 3 > maxRequestBytes) parts = encoder.encode(body).length / maxRequestBytes;
    if (parts <= 1 || (all.length === 1 && !atomic)) {
      const commands = all.map(({ command }) => command);
      return [requestOf(json(atomic ? "/multi-exec" : "/pipeline", body), "list", commands)];
    }
  }
  if (atomic) throw tooLarge(all.length, maxRequestBytes);
  const size = Math.min(Math.ceil(all.length / Math.ceil(parts)), mostCommands);
  const starts = Array.from({ length: Math.ceil(all.length / size) }, (_, nth) => nth * size);
  return starts.flatMap((start) => listRequests(all.slice(start, start + size), atomic, maxRequestBytes));
}

const tooLarge = (commands: number, maxBytes: number): TransportError =>
  restError(
    "too-large",
    `An atomic trip of ${commands} commands is over ${maxBytes} bytes and can't be split (lower maxValueBytes, ` +
      "or raise maxRequestBytes if the plan allows it)",
    { delivery: "none" },
  );

const encoder = new TextEncoder();

const json = (path: string, body: string): Payload => ({ path, body, contentType: "application/json" });

function cannotCarry(command: Command, atomic: boolean) {
  const where = atomic ? "an atomic trip" : "this place";
  return restError(
    "protocol",
    `The REST API can't carry the bytes of ${command[0].slice(0, 40)} in ${where} (use the msgpack codec, whose ` +
      "values have a text form, or the Redis protocol: transport-tcp)",
    { delivery: "none" },
  );
}
