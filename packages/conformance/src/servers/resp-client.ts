import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** A RESP2 reply: bulk strings are text, and an error reply rejects the command with an `Error`. */
export type RawReply = null | number | string | readonly RawReply[];

/** Where to connect, and the credentials. */
export interface RawAddress {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
  /** The certificate authority to trust, PEM; its presence means TLS. */
  readonly ca?: string;
}

/** A simple connection for test tools: one command after the other. */
export interface RawClient {
  command(...args: readonly (string | number)[]): Promise<RawReply>;
  end(): void;
}

interface Waiter {
  resolve(reply: RawReply): void;
  reject(error: Error): void;
}

/** Connects, and authenticates when there is a password. Rejects when it can't within five seconds. */
export async function connectRaw(address: RawAddress): Promise<RawClient> {
  const { host, port, ca, password } = address;
  const socket: Socket = ca === undefined ? connectTcp({ host, port }) : connectTls({ host, port, ca });
  const waiters: Waiter[] = [];
  let pending = Buffer.alloc(0);
  const fail = (error: Error): void => {
    for (const waiter of waiters.splice(0)) waiter.reject(error);
  };
  socket.setTimeout(5_000, () => socket.destroy(new Error(`No answer from ${host}:${port} within 5000 ms`)));
  socket.on("error", fail);
  socket.on("close", () => fail(new Error(`${host}:${port} closed the connection`)));
  socket.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let parsed = parse(pending, 0); parsed; parsed = parse(pending, 0)) {
      pending = pending.subarray(parsed.end);
      const waiter = waiters.shift();
      if (parsed.value instanceof Error) waiter?.reject(parsed.value);
      else waiter?.resolve(parsed.value);
    }
  });

  const client: RawClient = {
    command: (...args) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error(`Not connected to ${host}:${port}`));
        waiters.push({ resolve, reject });
        socket.write(
          `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`).join("")}`,
        );
      }),
    end: () => socket.destroy(),
  };
  try {
    await client.command(...(password === undefined ? ["PING"] : ["AUTH", password]));
  } catch (error) {
    // A replica without its primary answers with this error only, and still takes administrative commands.
    if (error instanceof Error && error.message.startsWith("MASTERDOWN")) return client;
    socket.destroy();
    throw error;
  }
  return client;
}

/** The reply that begins at `at` and where it ends, or `undefined` while some of it is still under way. */
function parse(bytes: Buffer, at: number): { value: RawReply | Error; end: number } | undefined {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString("utf8", at + 1, lineEnd);
  let end = lineEnd + 2;
  switch (String.fromCharCode(bytes[at] as number)) {
    case "+":
      return { value: line, end };
    case "-":
      return { value: new Error(line), end };
    case ":":
      return { value: Number(line), end };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, end };
      if (bytes.length < end + length + 2) return undefined;
      return { value: bytes.toString("utf8", end, end + length), end: end + length + 2 };
    }
    case "*": {
      const values: RawReply[] = [];
      if (Number(line) < 0) return { value: null, end };
      for (let index = 0; index < Number(line); index++) {
        const item = parse(bytes, end);
        if (!item) return undefined;
        values.push(item.value instanceof Error ? item.value.message : item.value);
        end = item.end;
      }
      return { value: values, end };
    }
    default:
      return { value: new Error("The server did not answer in RESP2"), end: bytes.length };
  }
}
