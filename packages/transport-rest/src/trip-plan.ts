import { type Command, isRepeatableTrip } from "@continuum-cache/core";
import { carriedArguments, isText, rawBodyPost, withTextForms } from "./binary-body.ts";
import type { Payload, Post } from "./endpoint.ts";
import { restError } from "./rest-error.ts";
import type { AnswerForm } from "./rest-reply.ts";

/** One request of a trip. */
export interface Leg {
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
 * Splits a trip into as few requests as can carry it, to be sent one after the other. Almost always that is one.
 *
 * @throws TransportError of delivery `none` when a command can't be carried, or an atomic trip is too large.
 */
export function planTrip(commands: readonly Command[], { atomic, maxRequestBytes }: TripRules): Leg[] {
  const only = commands.length === 1 && !atomic ? commands[0] : undefined;
  if (only) return [singleLeg(only)];

  const legs: Leg[] = [];
  let texts: Written[] = [];
  const flush = () => {
    if (texts.length > 0) legs.push(...listLegs(texts, atomic, maxRequestBytes));
    texts = [];
  };
  for (const command of commands) {
    const carried = carriedArguments(command);
    const args = isText(carried) ? carried : withTextForms(command, carried);
    if (isText(args)) {
      texts.push({ command, json: JSON.stringify(args) });
      continue;
    }
    const raw = atomic ? undefined : rawBodyPost(args);
    if (!raw) throw cannotCarry(command, atomic);
    flush();
    legs.push(legOf(raw, "one", [command]));
  }
  flush();
  return legs;
}

/** A command in the JSON in which it travels. */
interface Written {
  readonly command: Command;
  readonly json: string;
}

const legOf = (request: Payload, form: AnswerForm, commands: readonly Command[]): Leg => ({
  post: { ...request, isRepeatable: () => isRepeatableTrip(commands) },
  form,
  commands,
});

function singleLeg(command: Command): Leg {
  const args = carriedArguments(command);
  if (isText(args)) return legOf(json("/", JSON.stringify(args)), "one", [command]);
  const raw = rawBodyPost(args);
  if (raw) return legOf(raw, "one", [command]);
  const texts = withTextForms(command, args);
  if (!isText(texts)) throw cannotCarry(command, false);
  return legOf(json("/", JSON.stringify(texts)), "one", [command]);
}

/** Commands of text alone: one list, or several where one would be too long. */
function listLegs(all: readonly Written[], atomic: boolean, maxRequestBytes: number): Leg[] {
  const path = atomic ? "/multi-exec" : "/pipeline";
  const leg = (parts: readonly Written[]): Leg => {
    const body = `[${parts.map((part) => part.json).join(",")}]`;
    return legOf(
      json(path, body),
      "list",
      parts.map(({ command }) => command),
    );
  };
  // No character takes more than three bytes, so this spares counting them.
  const characters = all.reduce((sum, part) => sum + part.json.length + 1, 2);
  if (characters * 3 <= maxRequestBytes && (atomic || all.length <= maxCommands)) return [leg(all)];

  const legs: Leg[] = [];
  let parts: Written[] = [];
  let bytes = 2;
  for (const part of all) {
    const partBytes = encoder.encode(part.json).length + 1;
    if (parts.length > 0 && (bytes + partBytes > maxRequestBytes || (!atomic && parts.length === maxCommands))) {
      legs.push(leg(parts));
      parts = [];
      bytes = 2;
    }
    parts.push(part);
    bytes += partBytes;
  }
  legs.push(leg(parts));
  if (atomic && (legs.length > 1 || bytes > maxRequestBytes)) {
    throw restError(
      "too-large",
      `An atomic trip of ${all.length} commands is over ${maxRequestBytes} bytes and can't be split (lower maxValueBytes, or raise maxRequestBytes if the plan allows it)`,
      { delivery: "none" },
    );
  }
  return legs;
}

const encoder = new TextEncoder();

const json = (path: string, body: string): Payload => ({ path, body, contentType: "application/json" });

function cannotCarry(command: Command, atomic: boolean) {
  const where = atomic ? "an atomic trip" : "this place";
  return restError(
    "protocol",
    `The REST API can't carry the bytes of ${command[0].slice(0, 40)} in ${where} (use the msgpack codec, whose values have a text form, or the Redis protocol: transport-tcp)`,
    { delivery: "none" },
  );
}
