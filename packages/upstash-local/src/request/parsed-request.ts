import type { IncomingMessage } from "node:http";
import type { Argument, Command, Topics } from "@continuum-cache/core";
import { RequestError } from "../errors/request-error.ts";
import type { Limits } from "../limits.ts";
import { argumentText, fromBytes } from "../protocol/argument-text.ts";
import { type ListedCommand, parseCommand, parseCommandList } from "../protocol/json-command.ts";
import { parseErrors } from "../protocol/service-texts.ts";
import type { Holder } from "./held-bytes.ts";
import { readBody } from "./request-body.ts";
import type { RequestTarget } from "./request-target.ts";

/** A request, parsed. */
export type ParsedRequest =
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "pipeline"; readonly commands: readonly ListedCommand[] }
  | { readonly kind: "transaction"; readonly commands: readonly ListedCommand[] }
  | { readonly kind: "listen"; readonly topics: Topics };

type BodyLimits = Pick<Limits, "requestBytes" | "pipelineBytes" | "pipelineCommands">;

/**
 * Parses a request, with its body where the endpoint uses one.
 *
 * @throws RequestError when it is malformed or too large, or when its path does not take its method.
 */
export async function parseRequest(
  request: IncomingMessage,
  target: RequestTarget,
  limits: BodyLimits,
  holder: Holder,
): Promise<ParsedRequest> {
  const [first, ...rest] = target.segments;
  if (first === undefined) {
    // The size of a command is checked after parsing: escapes may make its JSON longer than the command.
    return { kind: "command", command: parseCommand(await readBody(request, limits.pipelineBytes, holder)) };
  }
  const endpoint = argumentText(first).toLowerCase();
  switch (endpoint) {
    case "pipeline":
    case "multi-exec": {
      const kind = endpoint === "pipeline" ? "pipeline" : "transaction";
      assertMethod(request, ["POST", "PUT"]);
      const body = await readBody(request, limits.pipelineBytes, holder);
      return { kind, commands: parseCommandList(body, kind, limits.pipelineCommands) };
    }
    case "subscribe":
    case "psubscribe": {
      assertMethod(request, ["GET", "POST"]);
      // The official client posts an empty JSON array here, which is no channel.
      request.resume();
      const names = topicNames(rest);
      return { kind: "listen", topics: endpoint === "subscribe" ? { channels: names } : { patterns: names } };
    }
    case "monitor":
      request.resume();
      throw new RequestError(
        400,
        "ERR /monitor is not offered by upstash-local: run MONITOR with redis-cli on the Redis behind it",
      );
    default:
      return { kind: "command", command: await pathCommand(request, target, limits.requestBytes, holder) };
  }
}

/** The path, then the body as one argument as it is, then the query. */
async function pathCommand(
  request: IncomingMessage,
  target: RequestTarget,
  maxBytes: number,
  holder: Holder,
): Promise<Command> {
  const [name, ...path] = target.segments;
  const takesBody = request.method === "POST" || request.method === "PUT";
  const body = await readBody(request, maxBytes, holder);
  const bodyArguments: Argument[] = takesBody && body.length > 0 ? [fromBytes(body)] : [];
  if (name === undefined || name === "") throw new RequestError(400, parseErrors.command.empty);
  return [argumentText(name), ...path, ...bodyArguments, ...target.queryArguments];
}

function topicNames(segments: readonly Argument[]): string[] {
  if (segments.length === 0 || segments.includes("")) {
    throw new RequestError(400, "ERR a channel or pattern is missing in the path");
  }
  return segments.map((segment) => {
    if (typeof segment === "string") return segment;
    throw new RequestError(400, "ERR a channel or pattern in the path is not valid UTF-8");
  });
}

function assertMethod(request: IncomingMessage, allowed: readonly string[]): void {
  const { method = "" } = request;
  if (!allowed.includes(method)) throw methodNotAllowed(method, allowed);
}

export function methodNotAllowed(method: string, allowed: readonly string[]): RequestError {
  return new RequestError(405, `ERR method ${method} is not allowed here`, { allow: allowed.join(", ") });
}
