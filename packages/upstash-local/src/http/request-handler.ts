import type { IncomingMessage, ServerResponse } from "node:http";
import { type Command, isCommandError } from "@continuum-cache/core";
import type { Caller, Execution } from "../engine/execution.ts";
import { RequestError } from "../errors/request-error.ts";
import type { Faults } from "../faults.ts";
import type { Limits } from "../limits.ts";
import type { ListedCommand } from "../protocol/json-command.ts";
import {
  errorBody,
  formatOf,
  listBody,
  type ResponseBody,
  type ResponseFormat,
  singleBody,
} from "../protocol/response-format.ts";
import { noPermission, unauthorizedText } from "../protocol/service-texts.ts";
import type { SyncToken } from "../protocol/sync-token.ts";
import type { Access, Authorization } from "../request/authorization.ts";
import type { HeldBytes } from "../request/held-bytes.ts";
import { methodNotAllowed, type ParsedRequest, parseRequest } from "../request/parsed-request.ts";
import { parseTarget, type RequestTarget } from "../request/request-target.ts";
import { allowedMethods, isPreflight, type PagePolicy, preflightHeaders } from "./page-policy.ts";
import { type StreamParts, streamMessages } from "./sse.ts";

export interface HandlerParts {
  readonly authorization: Authorization;
  readonly execution: Execution;
  readonly faults: Faults;
  readonly pages: PagePolicy;
  readonly limits: Limits;
  readonly heldBytes: HeldBytes;
  readonly syncToken: SyncToken;
  readonly stream: Omit<StreamParts, "signal">;
}

/** Answers one request, and never rejects. `signal` ends its streams and its waits. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => Promise<void>;

const health =
  'upstash-local speaks the REST protocol of Upstash Redis. POST a command such as ["PING"] with your token.\n';

export function createRequestHandler(parts: HandlerParts): RequestHandler {
  const { authorization, execution, faults, pages, limits, heldBytes, syncToken, stream } = parts;

  const write = (
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    { body, contentType }: ResponseBody,
    headers: Readonly<Record<string, string>> = {},
  ): void => {
    // A refused client may still be sending its body.
    if (!request.complete) request.resume();
    const sent = faults.distort(body);
    if (response.headersSent || sent === undefined) {
      response.destroy();
      return;
    }
    response.writeHead(status, {
      ...pages.headersFor(request),
      ...headers,
      "upstash-sync-token": syncToken.current,
      "content-type": contentType,
      "content-length": sent.length,
    });
    response.end(sent);
  };

  const accessOf = (request: IncomingMessage, target: RequestTarget): Access => {
    const access = authorization.accessOf(request.headers, target.token);
    if (!access) throw new RequestError(401, unauthorizedText);
    return access;
  };

  const respond = async (request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> => {
    const { method = "" } = request;
    if (isPreflight(request)) {
      response.writeHead(204, { ...pages.headersFor(request), ...preflightHeaders }).end();
      return;
    }
    if (!allowedMethods.includes(method)) throw methodNotAllowed(method, allowedMethods);
    const target = parseTarget(request.url ?? "/");
    if (target.segments.length === 0 && (method === "GET" || method === "HEAD")) {
      const body = Buffer.from(health);
      response
        .writeHead(200, { ...pages.headersFor(request), "content-type": "text/plain", "content-length": body.length })
        .end(body);
      return;
    }
    const access = accessOf(request, target);
    const holder = heldBytes.open();
    response.once("close", () => holder.release());
    const caller: Caller = { access, signal, holder };
    // Read before the command: a command whose answer can't be written must not run.
    const format = formatOf(request.headers);
    const parsed = await parseRequest(request, target, limits, holder);
    if (parsed.kind === "listen") {
      const verb = parsed.topics.patterns ? "psubscribe" : "subscribe";
      if (caller.access === "read-only") throw new RequestError(400, noPermission(verb));
      await streamMessages(response, parsed.topics, pages.headersFor(request), { ...stream, signal });
      return;
    }
    const { status, body } = await run(execution, parsed, caller, format);
    write(request, response, status, body);
  };

  return async (request, response, signal) => {
    try {
      const refusal = pages.refusalOf(request);
      if (refusal !== undefined) throw new RequestError(403, refusal);
      if (await faults.before(request, response, signal)) await respond(request, response, signal);
    } catch (error) {
      if (error instanceof RequestError) {
        write(request, response, error.status, errorBody(error.message), error.headers);
      } else if (response.headersSent || signal.aborted) {
        response.destroy();
      } else {
        // A defect of this server or its engine. Its message may hold secrets, so it is not sent.
        write(request, response, 500, errorBody("ERR internal error of upstash-local"));
      }
    }
  };
}

/** Runs what the request asks for, and writes its replies as a body. */
async function run(
  execution: Execution,
  parsed: Exclude<ParsedRequest, { kind: "listen" }>,
  caller: Caller,
  format: ResponseFormat,
): Promise<{ status: number; body: ResponseBody }> {
  switch (parsed.kind) {
    case "command": {
      const reply = await execution.single(parsed.command, caller);
      const body = singleBody({ command: parsed.command, reply }, format);
      return { status: isCommandError(reply) ? 400 : 200, body };
    }
    case "pipeline":
      return {
        status: 200,
        body: listBody(together(parsed.commands, await execution.list(parsed.commands, caller)), format),
      };
    case "transaction": {
      const answered = together(parsed.commands, await execution.transaction(parsed.commands, caller));
      // A transaction is always answered in JSON.
      return { status: 200, body: listBody(answered, format === "resp2" ? "json" : format) };
    }
  }
}

const unnamed: Command = [""];

const together = <R>(commands: readonly ListedCommand[], replies: readonly R[]) =>
  replies.map((reply, index) => ({ command: commands[index] ?? unnamed, reply }));
