import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { connectMiniResp, type MiniReply, type MiniResp } from "../references/mini-resp.ts";
import { createPlainScripts, type PlainScripts } from "./plain-scripts.ts";

/**
 * Upstash's REST API in front of a Redis: no more of it than the suites use, and as fast as it can be, so that clients
 * are measured and not the server. `upstash-local` checks what it is sent, which takes longer than some clients do.
 *
 * @returns its address.
 */
export async function startGateway(redisUrl: string, token: string): Promise<string> {
  const redis = connectMiniResp(redisUrl);
  const scripts = createPlainScripts();
  const server = createServer({ noDelay: true }, (socket) => serve(socket, redis, scripts, token));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Request {
  readonly path: string;
  readonly isAllowed: boolean;
  readonly isBase64: boolean;
  readonly body: string;
}

/** One request after the other on a connection that is kept open, as all clients do it. */
function serve(socket: Socket, redis: MiniResp, scripts: PlainScripts, token: string): void {
  let unread: Buffer = Buffer.alloc(0);
  let turn = Promise.resolve();
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    for (let taken = take(unread, token); taken; taken = take(unread, token)) {
      const { request, end } = taken;
      unread = unread.subarray(end);
      turn = turn.then(async () => {
        const [status, body] = await answer(request, redis, scripts);
        socket.write(
          `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      });
    }
  });
}

/** The request that the bytes begin with, and where it ends; `undefined` while it has not arrived whole. */
function take(bytes: Buffer, token: string): { readonly request: Request; readonly end: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const end = headEnd + 4 + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  if (bytes.length < end) return undefined;
  return {
    request: {
      path: head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/")),
      isAllowed: head.includes(`Bearer ${token}`),
      isBase64: /\r\nupstash-encoding: *base64/i.test(head),
      body: bytes.toString("utf8", headEnd + 4, end),
    },
    end,
  };
}

type Command = readonly (string | number)[];

async function answer(
  { path, isAllowed, isBase64, body }: Request,
  redis: MiniResp,
  scripts: PlainScripts,
): Promise<readonly [status: string, body: string]> {
  if (!isAllowed) return ["401 Unauthorized", '{"error":"WRONGPASS invalid token"}'];
  const run = async (command: Command): Promise<string> => {
    try {
      return `{"result":${write(await redis.command(...scripts.rewrite(command)), isBase64)}}`;
    } catch (error) {
      return `{"error":${JSON.stringify((error as Error).message)}}`;
    }
  };
  if (path === "/") {
    const reply = await run(JSON.parse(body));
    return [reply.startsWith('{"error"') ? "400 Bad Request" : "200 OK", reply];
  }
  if (path !== "/pipeline" && path !== "/multi-exec") return ["404 Not Found", '{"error":"ERR no such path"}'];
  const commands = JSON.parse(body) as readonly Command[];
  if (path === "/pipeline") return ["200 OK", `[${(await Promise.all(commands.map(run))).join(",")}]`];
  const replies = await atomically(commands, redis, scripts);
  return ["200 OK", `[${replies.map((reply) => `{"result":${write(reply, isBase64)}}`).join(",")}]`];
}

async function atomically(
  commands: readonly Command[],
  redis: MiniResp,
  scripts: PlainScripts,
): Promise<readonly MiniReply[]> {
  const sent = [["MULTI"], ...commands.map((command) => scripts.rewrite(command)), ["EXEC"]];
  const replies = await Promise.all(sent.map((command) => redis.command(...command)));
  return replies.at(-1) as readonly MiniReply[];
}

/** A reply as JSON; every text but `OK` in base64, where that was asked for. */
function write(reply: MiniReply, isBase64: boolean): string {
  if (reply === null || typeof reply === "number") return String(reply);
  if (typeof reply !== "string") return `[${reply.map((each) => write(each, isBase64)).join(",")}]`;
  return isBase64 && reply !== "OK" ? `"${Buffer.from(reply).toString("base64")}"` : JSON.stringify(reply);
}
