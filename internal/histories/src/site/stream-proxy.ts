import { once } from "node:events";
import { createServer, request, type ServerResponse } from "node:http";

/** An HTTP proxy that can do to streams of events what a plain one can't: end them by the rules, at the wrong time. */
export interface StreamProxy {
  readonly port: number;
  /** Ends all streams as a server does that has nothing more to say. */
  endStreams(): void;
  /** The same in the middle of the next line of each. */
  truncateStreams(): void;
  /** Streams stay open and say nothing more, for ever. */
  muteStreams(): void;
  close(): Promise<void>;
}

/** @param target - The port of the server on this machine. */
export async function startStreamProxy(target: number): Promise<StreamProxy> {
  /** Open streams, and what becomes of them. */
  const streams = new Map<ServerResponse, "passing" | "truncating" | "mute">();

  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const upstream = request({ host: "127.0.0.1", port: target, method, path, headers, agent: false }, (answer) => {
      const isStream = answer.headers["content-type"]?.startsWith("text/event-stream") === true;
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      if (isStream) streams.set(outgoing, "passing");
      answer.on("data", (chunk: Buffer) => {
        const state = streams.get(outgoing) ?? "passing";
        if (state === "passing") outgoing.write(chunk);
        else if (state === "truncating") {
          outgoing.end(chunk.subarray(0, halfOf(chunk)));
          answer.destroy();
        }
      });
      answer.on("end", () => outgoing.end());
      answer.on("error", () => outgoing.destroy());
    });
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => {
      streams.delete(outgoing);
      upstream.destroy();
    });
    incoming.pipe(upstream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");

  const setAll = (state: "truncating" | "mute"): void => {
    for (const stream of streams.keys()) streams.set(stream, state);
  };
  return {
    port: address.port,
    endStreams() {
      for (const stream of streams.keys()) stream.end();
    },
    truncateStreams: () => setAll("truncating"),
    muteStreams: () => setAll("mute"),
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Somewhere in the last message, before the end of its line. */
function halfOf(chunk: Buffer): number {
  const start = chunk.lastIndexOf("data: ");
  return start < 0 ? Math.floor(chunk.length / 2) : Math.floor((start + chunk.length) / 2);
}
