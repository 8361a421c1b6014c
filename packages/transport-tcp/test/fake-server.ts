import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A server of which a test says what it answers. */
export interface FakeServer {
  readonly url: string;
  /** How many connections were made. */
  readonly connections: number;
  /** The commands that came, as they came. */
  readonly commands: readonly string[];
  close(): Promise<void>;
}

/** @param answer - The bytes that answer a command, or undefined for none; called for each command. */
export async function startFakeServer(
  answer: (command: string, connection: number, socket: Socket) => string | Buffer | undefined,
): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const commands: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      for (;;) {
        const taken = takeCommand(text);
        if (!taken) return;
        text = text.slice(taken.length);
        commands.push(taken.command);
        const reply = answer(taken.command, connection, socket);
        if (reply !== undefined) socket.write(reply);
      }
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");
  return {
    url: `redis://127.0.0.1:${address.port}`,
    commands,
    get connections() {
      return connections;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

/** The first whole command of a request, its words with blanks between, and how long it is. */
function takeCommand(text: string): { readonly command: string; readonly length: number } | undefined {
  const count = /^\*(\d+)\r\n/.exec(text);
  if (!count) return undefined;
  let at = count[0].length;
  const words: string[] = [];
  for (let word = 0; word < Number(count[1]); word++) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (!length) return undefined;
    const start = at + length[0].length;
    at = start + Number(length[1]) + 2;
    if (text.length < at) return undefined;
    words.push(text.slice(start, at - 2));
  }
  return { command: words.join(" "), length: at };
}
