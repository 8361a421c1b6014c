import { connect } from "node:net";

export type MiniReply = null | number | string | readonly MiniReply[];

/** The least that a Redis client can do: one connection, text, no reconnecting, no options. */
export interface MiniResp {
  /** @throws Error with what Redis answered. */
  command(...args: readonly (string | number)[]): Promise<MiniReply>;
  close(): void;
}

interface Waiter {
  resolve(reply: MiniReply): void;
  reject(error: Error): void;
}

/** What is read while a reply has not arrived whole. */
const incomplete = Symbol("incomplete");

/**
 * A limit for clients over TCP: the requests of a tick are one write, replies are read where they lie in the chunk.
 *
 * @param onPush - Is given what no command waits for: messages of a channel.
 */
export function connectMiniResp(url: string, onPush?: (reply: MiniReply) => void): MiniResp {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const waiters: Waiter[] = [];
  let unsent = "";
  let unread: Buffer | undefined;

  const flush = (): void => {
    socket.write(unsent);
    unsent = "";
  };
  const fail = (error: Error): void => {
    for (const { reject } of waiters.splice(0)) reject(error);
  };
  socket.on("error", fail);
  socket.on("close", () => fail(new Error(`${url} closed the connection`)));
  socket.on("data", (chunk: Buffer) => {
    const reader = createReader(unread ? Buffer.concat([unread, chunk]) : chunk);
    for (let reply = reader.next(); reply !== incomplete; reply = reader.next()) {
      const waiter = waiters.shift();
      if (!waiter) onPush?.(reply as MiniReply);
      else if (reply instanceof Error) waiter.reject(reply);
      else waiter.resolve(reply);
    }
    unread = reader.rest();
  });

  return {
    command: (...args) =>
      new Promise((resolve, reject) => {
        waiters.push({ resolve, reject });
        if (unsent === "") process.nextTick(flush);
        unsent += `*${args.length}\r\n`;
        for (const arg of args) unsent += `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`;
      }),
    close: () => socket.destroy(),
  };
}

function createReader(bytes: Buffer) {
  let at = 0;
  const read = (): MiniReply | Error | typeof incomplete => {
    const lineEnd = bytes.indexOf(13, at);
    if (lineEnd < 0 || lineEnd + 2 > bytes.length) return incomplete;
    const type = bytes[at];
    const line = bytes.toString("latin1", at + 1, lineEnd);
    at = lineEnd + 2;
    if (type === 43) return line; // +
    if (type === 45) return new Error(line); // -
    if (type === 58) return Number(line); // :
    const length = Number(line);
    if (length < 0) return null;
    if (type === 36) {
      if (at + length + 2 > bytes.length) return incomplete;
      at += length + 2;
      return bytes.toString("utf8", at - length - 2, at - 2);
    }
    const list: MiniReply[] = [];
    while (list.length < length) {
      const element = read();
      if (element === incomplete) return incomplete;
      list.push(element as MiniReply);
    }
    return list;
  };
  return {
    next() {
      const start = at;
      const reply = at < bytes.length ? read() : incomplete;
      if (reply === incomplete) at = start;
      return reply;
    },
    rest: () => (at < bytes.length ? bytes.subarray(at) : undefined),
  };
}
