import { type AddressInfo, createServer, type Socket } from "node:net";
import { closing } from "@continuum-cache/conformance/servers";
import { guarded } from "@continuum-cache/core";
import { batched } from "@continuum-cache/core/kit";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, expect, test, vi } from "vitest";
import { answer, startScriptedServer } from "./scripted-server.ts";
import { patientMs } from "./timed-out.ts";

const opened = closing(afterEach);

interface Closing {
  readonly url: string;
  /** The requests that were answered, by the connection on which they came. */
  readonly answered: string[];
  /** Those that came to a connection that does not answer any more. */
  readonly dropped: string[];
}

/** A server that answers the first request of each connection, and closes it when the second one begins to come. */
async function startClosingServer(close: (socket: Socket) => void): Promise<Closing> {
  const sockets = new Set<Socket>();
  const answered: string[] = [];
  const dropped: string[] = [];
  let count = 0;
  const server = createServer((socket) => {
    const name = `connection ${++count}`;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let served = false;
    let text = "";
    socket.on("data", (chunk) => {
      if (served) {
        dropped.push(name);
        close(socket);
        return;
      }
      text += chunk.toString("latin1");
      const [head = "", body] = text.split("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (body === undefined || body.length < length) return;
      served = true;
      answered.push(name);
      const answer = JSON.stringify({ result: 1 });
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened({
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answered, dropped };
}

const closings: readonly (readonly [string, (socket: Socket) => void])[] = [
  ["ends", (socket) => socket.destroy()],
  ["resets", (socket) => socket.resetAndDestroy()],
];

test.each(closings)("a request that may run twice is sent again when its connection %s", async (_, close) => {
  const server = await startClosingServer(close);
  const transport = opened(restTransport({ url: server.url, token: "t", timeout: patientMs / 1_000 }));
  for (let call = 0; call < 4; call++) expect(await transport.send([["STRLEN", "a"]])).toEqual([1]);
  expect(server.answered).toEqual(["connection 1", "connection 2", "connection 3", "connection 4"]);
  expect(server.dropped).toEqual(["connection 1", "connection 2", "connection 3"]);
});

test("calls that meet closed connections at once share the new ones", async () => {
  const server = await startClosingServer((socket) => socket.destroy());
  const transport = opened(restTransport({ url: server.url, token: "t", timeout: patientMs / 1_000 }));
  for (let round = 0; round < 3; round++) {
    const calls = Array.from({ length: 20 }, (_, at) => transport.send([["STRLEN", `k${at}`]]));
    expect(await Promise.all(calls)).toEqual(calls.map(() => [1]));
  }
  expect(server.answered).toHaveLength(60);
});

test.each([100, 250])(
  "requests that may not run twice run once each next to a server that closes connections after %s ms",
  async (limitMs) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const closings = new Map<Socket, NodeJS.Timeout>();
      let count = 0;
      const server = await startScriptedServer((_, response, { socket }) => {
        clearTimeout(closings.get(socket));
        closings.set(
          socket,
          setTimeout(() => socket.destroy(), limitMs),
        );
        answer(response, { result: ++count });
      });
      opened(server);
      const transport = opened(restTransport({ url: server.url, token: "t", timeout: patientMs / 1_000 }));
      for (let call = 1; call <= 24; call++) {
        expect(await transport.send([["INCR", "a"]])).toEqual([call]);
        // Just when the server closes the connection.
        vi.advanceTimersByTime(limitMs - 2 + (call % 5));
      }
      expect(server.seen).toHaveLength(24);
    } finally {
      vi.useRealTimers();
    }
  },
);

test.each(closings)(
  "a request that did not leave as a whole is sent again, whatever it does: its connection %s",
  async (_, close) => {
    const server = await startClosingServer(close);
    const transport = opened(restTransport({ url: server.url, token: "t", timeout: patientMs / 1_000 }));
    const huge = "x".repeat(16_000_000);
    expect(await transport.send([["STRLEN", "a"]])).toEqual([1]);
    expect(await transport.send([["APPEND", "a", huge]])).toEqual([1]);
    expect(server.answered).toEqual(["connection 1", "connection 2"]);
  },
);

test("closed idle connections are no failures for a breaker", async () => {
  const server = await startClosingServer((socket) => socket.destroy());
  const changes: string[] = [];
  const transport = opened(
    guarded(restTransport({ url: server.url, token: "t", timeout: patientMs / 1_000 }), {
      retries: 0,
      breaker: { failures: 1 },
      onBreaker: ({ state }) => changes.push(state),
    }),
  );
  for (let call = 0; call < 5; call++) await transport.send([["STRLEN", "a"]]);
  expect(changes).toEqual([]);
});

test("a command that ran and whose answer was lost is not run again", async () => {
  const server = await startClosingServer((socket) => socket.destroy());
  // Calls of one tick: the second connection is as fresh as the first.
  const transport = opened(batched(restTransport({ url: server.url, token: "t", timeout: patientMs / 1_000 })));
  expect(await transport.send([["INCR", "a"]])).toEqual([1]);
  const second = await transport.send([["INCR", "a"]]).catch((error: unknown) => error);
  // On a slow machine the first connection has been idle for too long, and was not used at all.
  if (server.dropped.length === 0) expect(second).toEqual([1]);
  else expect(second).toMatchObject({ kind: "unreachable", delivery: "unknown" });
  expect(server.answered.length + server.dropped.length).toBe(2);
});
