import type { TcpClient } from "../tcp-client.ts";

/** What comes through a client's sockets, before its parser sees it. */
export interface InterceptedData {
  /** When bytes came last, by `performance.now()`. Kept by the function that takes them. */
  lastAt: number;
  /** The socket whose bytes are looked at. */
  readonly stream: TcpClient["stream"] | undefined;
  /** Begins with a socket that was connected before, as soon as no reply is on its way. */
  attach(): void;
  /** Looks at no further socket. */
  stop(): void;
}

export interface InterceptOptions {
  /** There was a reply too many. */
  onProblem(problem: string): void;
  /** Begins with a socket. @returns what takes its bytes, and hands to `parse` those that are for the client */
  listen(stream: TcpClient["stream"], parse: (bytes: Buffer) => void): (chunk: Buffer) => void;
}

/**
 * Whether an `error` event says that there was a reply too many, after which ioredis goes on as if nothing had
 * happened.
 */
export const isWithoutCommand = (error: Error): boolean => error.message.startsWith("Command queue state error");

/**
 * Stands between a client's socket and its parser. It works for every copy and version of ioredis, since it takes the
 * place of the parser among the socket's listeners.
 */
export function interceptData(client: TcpClient, { onProblem, listen }: InterceptOptions): InterceptedData {
  const data = {
    lastAt: performance.now(),
    stream: undefined as TcpClient["stream"] | undefined,
    attach(): void {
      if (client.stream === data.stream || client.status !== "ready") return;
      // In the middle of a reply there is no telling where the next one begins.
      const { commandQueue } = client as TcpClient & { readonly commandQueue?: { readonly length: number } };
      if (commandQueue?.length === 0) watch();
    },
    stop(): void {
      client.off("connect", watch);
      client.off("error", hear);
    },
  };
  const watch = (): void => {
    const { stream } = client;
    if (!stream || stream === data.stream) return;
    const parsers = stream.listeners("data") as ((chunk: Buffer) => void)[];
    if (parsers.length === 0) return;
    data.stream = stream;
    for (const parser of parsers) stream.off("data", parser);
    const take = listen(stream, (bytes) => {
      for (const parser of parsers) parser.call(stream, bytes);
    });
    stream.prependListener("data", take);
  };
  const hear = (error: Error): void => {
    // Its text repeats the reply, which may hold a stored value.
    if (isWithoutCommand(error)) onProblem("a reply that belongs to no command");
  };
  client.on("connect", watch);
  client.on("error", hear);
  return data;
}
