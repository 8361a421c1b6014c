import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** A request as the server saw it. */
export interface Seen {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
  readonly json: unknown;
}

export interface ScriptedServer {
  readonly url: string;
  readonly seen: Seen[];
  /** Connections opened so far. */
  readonly connections: number;
  close(): Promise<void>;
}

export type Handler = (seen: Seen, response: ServerResponse, request: IncomingMessage) => unknown;

/** A server that answers as the test says: for shapes and faults that a right server does not have. */
export async function startScriptedServer(handler: Handler): Promise<ScriptedServer> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const record = { path: request.url ?? "", headers: request.headers, body, json: parsed(body) };
      seen.push(record);
      handler(record, response, request);
    });
  });
  server.on("connection", (socket) => {
    connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    get connections() {
      return connections;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export function answer(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}

/** Text as the server encodes it. */
export const b64 = (text: string | Uint8Array): string => Buffer.from(text as string).toString("base64");

const fixed: Readonly<Record<string, unknown>> = { SET: "OK", MSET: "OK", HSET: 1 };

/** Answers a write as Redis does, and any other command with its own first argument, encoded. */
export const echo: Handler = ({ path, json }, response) => {
  const reply = (command: unknown) => {
    const [name, first] = command as unknown[];
    return { result: fixed[String(name)] ?? b64(String(first ?? name)) };
  };
  answer(response, path === "/" ? reply(json) : Array.isArray(json) ? json.map(reply) : { result: "OK" });
};

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // A raw body: the test looks at its bytes.
    return undefined;
  }
}
