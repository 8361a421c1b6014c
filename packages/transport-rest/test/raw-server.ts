import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** A connection as the server sees it. */
export interface RawConnection {
  readonly socket: Socket;
  /** Counted from 1. */
  readonly number: number;
  /** How many whole requests have come on it, this one included. */
  readonly requests: number;
}

export interface RawServer {
  readonly port: number;
  readonly url: string;
  /** The heads of all whole requests, in the order in which they came. */
  readonly heads: readonly string[];
  /** All connections, in the order in which they came. */
  readonly sockets: readonly Socket[];
  /** How many connections are open. */
  readonly open: number;
  close(): Promise<void>;
}

/** What the server does with a whole request. */
export type Answering = (connection: RawConnection, body: string) => void;

/** A server that hands out whole requests, and leaves every byte of the replies to the test. */
export function startRawServer(answer: Answering): Promise<RawServer> {
  return listenRaw(createServer(), "connection", answer);
}

/** The same behind any server of sockets, such as one for TLS. */
export async function listenRaw(
  server: Server,
  event: string,
  answer: Answering,
  host = "127.0.0.1",
): Promise<RawServer> {
  const heads: string[] = [];
  const sockets: Socket[] = [];
  const open = new Set<Socket>();
  server.on(event, (socket: Socket) => {
    const number = sockets.push(socket);
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    let requests = 0;
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const end = received.indexOf("\r\n\r\n");
        if (end < 0) return;
        const head = received.toString("latin1", 0, end);
        const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
        if (received.length < end + 4 + length) return;
        const body = received.toString("utf8", end + 4, end + 4 + length);
        received = received.subarray(end + 4 + length);
        heads.push(head);
        requests++;
        answer({ socket, number, requests }, body);
      }
    });
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    heads,
    sockets,
    get open() {
      return open.size;
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A reply with its length. */
export function withLength(body: unknown, fields = ""): string {
  const text = JSON.stringify(body);
  return `HTTP/1.1 200 OK\r\n${fields}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** A reply in chunks. */
export function inChunks(body: unknown): string {
  const text = JSON.stringify(body);
  const middle = Math.ceil(text.length / 2);
  const chunk = (part: string): string => `${part.length.toString(16)}\r\n${part}\r\n`;
  const chunks = `${chunk(text.slice(0, middle))}${chunk(text.slice(middle))}0\r\n\r\n`;
  return `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`;
}
