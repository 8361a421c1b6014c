import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { closing } from "@continuum-cache/conformance/servers";
import { type RestTransportOptions, restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { createConnectionPool } from "../src/http/node/connection-pool.ts";
import { failure } from "./failure.ts";
import { type Answering, inChunks, startRawServer, withLength } from "./raw-server.ts";
import { patientMs, timedOut } from "./timed-out.ts";

const opened = closing(afterEach);

async function against(answer: Answering, options: Partial<RestTransportOptions> = {}) {
  const server = opened(await startRawServer(answer));
  return {
    server,
    rest: opened(restTransport({ url: server.url, token: "secret", timeout: patientMs / 1_000, ...options })),
  };
}

const one = withLength({ result: 1 });

test("a request is one head with its length, and the next one travels on the same connection", async () => {
  const { server, rest } = await against(({ socket }) => socket.write(one));
  for (let call = 0; call < 3; call++) expect(await rest.send([["DEL", "é"]])).toEqual([1]);
  expect(server.sockets).toHaveLength(1);
  const [head = ""] = server.heads;
  expect(head.split("\r\n")).toEqual([
    "POST / HTTP/1.1",
    `host: 127.0.0.1:${server.port}`,
    "connection: keep-alive",
    `content-length: ${Buffer.byteLength('["DEL","é"]')}`,
    "authorization: Bearer secret",
    "content-type: application/json",
    "upstash-sync-token: ",
    "upstash-encoding: base64",
  ]);
});

describe.each<[string, string]>([
  ["with its length", one],
  ["in chunks", inChunks({ result: 1 })],
])("a reply %s", (_, reply) => {
  test("that is cut short at any byte is no reply, and may have run", async () => {
    let cut = 0;
    const { server, rest } = await against(({ socket }) => socket.end(reply.slice(0, cut)));
    for (; cut < reply.length; cut++) {
      const error = await failure(rest.send([["INCR", "a"]]));
      expect(error, `cut at ${cut}`).toMatchObject({ kind: "unreachable", delivery: "unknown" });
    }
    expect(server.heads).toHaveLength(reply.length);
  });

  test("that is reset at any byte is no reply, and may have run", async () => {
    let cut = 1;
    const { rest } = await against(({ socket }) => {
      socket.write(reply.slice(0, cut), () => setTimeout(() => socket.resetAndDestroy(), 5));
    });
    for (; cut < reply.length; cut += 7) {
      const error = await failure(rest.send([["INCR", "a"]]));
      expect(error, `cut at ${cut}`).toMatchObject({ kind: "unreachable", delivery: "unknown" });
    }
  });

  test("that trickles in byte by byte is read", async () => {
    const { server, rest } = await against(async ({ socket }) => {
      for (const byte of reply) {
        socket.write(byte);
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let call = 0; call < 3; call++) expect(await rest.send([["DEL", "a"]])).toEqual([1]);
    expect(server.sockets).toHaveLength(1);
  });

  test("that never ends costs the call its deadline, and the connection", async () => {
    const { server, rest } = await against(({ socket }) => socket.write(reply.slice(0, -3)));
    const error = await timedOut(
      () => failure(rest.send([["INCR", "a"]])),
      () => expect.poll(() => server.heads.length).toBe(1),
    );
    expect(error).toMatchObject({ kind: "timeout", delivery: "unknown" });
    await expect.poll(() => server.open).toBe(0);
  });
});

test.each<[string, string]>([
  ["another reply", one],
  ["half a reply", one.slice(0, 10)],
  ["a byte", "\n"],
])("a reply that %s follows stands, and its connection serves no more", async (_, garbage) => {
  const { server, rest } = await against(({ socket }) => socket.write(one + garbage));
  for (let call = 0; call < 3; call++) expect(await rest.send([["INCR", "a"]])).toEqual([1]);
  expect(server.sockets).toHaveLength(3);
});

test("bytes that come while a connection is idle are the reply to nothing: the connection is closed", async () => {
  const { server, rest } = await against(({ socket }) => socket.write(one));
  expect(await rest.send([["INCR", "a"]])).toEqual([1]);
  server.sockets[0]?.write(withLength({ result: 2 }));
  await expect.poll(() => server.open).toBe(0);
  expect(await rest.send([["INCR", "a"]])).toEqual([1]);
  expect(server.sockets).toHaveLength(2);
});

test("a connection that the server closes between requests costs no call, whatever the request does", async () => {
  const { server, rest } = await against(({ socket }) => socket.end(one));
  for (let call = 0; call < 5; call++) {
    expect(await rest.send([["INCR", "a"]])).toEqual([1]);
    await expect.poll(() => server.open).toBe(0);
  }
  expect(server.heads).toHaveLength(5);
});

test("preliminary replies are passed over", async () => {
  const { rest } = await against(({ socket }) => socket.write(`HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${one}`));
  expect(await rest.send([["INCR", "a"]])).toEqual([1]);
});

test("the error page of an old proxy ends with its connection", async () => {
  const { rest } = await against(({ socket }) => socket.end("HTTP/1.0 503 Service Unavailable\r\n\r\n<html>"));
  expect(await failure(rest.send([["INCR", "a"]]))).toMatchObject({
    kind: "unreachable",
    message: expect.stringContaining("HTTP 503"),
  });
});

test("what is no HTTP closes its connection, and nothing of it is repeated", async () => {
  const { server, rest } = await against(({ socket }) =>
    socket.write("HTTP/1.1 200 OK\r\ncanary\r\ncontent-length: 1\r\n\r\n1"),
  );
  const error = await failure(rest.send([["INCR", "a"]]));
  expect(error).toMatchObject({ kind: "protocol", delivery: "unknown" });
  expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain("canary");
  await expect.poll(() => server.open).toBe(0);
});

test("an answer that comes before its request has left as a whole is read, and the connection closed", async () => {
  const server = opened(await startRawServer(() => {}));
  // More than the buffers of both sides hold.
  const huge = "x".repeat(32_000_000);
  const rest = opened(
    restTransport({ url: server.url, token: "t", timeout: patientMs / 1_000, maxRequestBytes: 100_000_000 }),
  );
  const call = rest.send([["APPEND", "a", huge]]);
  await expect.poll(() => server.sockets.length).toBe(1);
  const [socket] = server.sockets;
  socket?.pause();
  socket?.write("HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n");
  expect(await failure(call)).toMatchObject({ kind: "too-large", delivery: "none" });
  socket?.resume();
  await expect.poll(() => server.open).toBe(0);
});

test("an idle connection is closed before the server says that it will do so", async () => {
  const { server, rest } = await against(({ socket }) =>
    socket.write(withLength({ result: 1 }, "keep-alive: timeout=1\r\n")),
  );
  expect(await rest.send([["INCR", "a"]])).toEqual([1]);
  expect(await rest.send([["INCR", "a"]])).toEqual([1]);
  expect(server.sockets).toHaveLength(2);

  const kept = await against(({ socket }) => socket.write(withLength({ result: 1 }, "keep-alive: timeout=2\r\n")));
  expect(await kept.rest.send([["INCR", "a"]])).toEqual([1]);
  await expect.poll(() => kept.server.open).toBe(0);
});

test("beyond a hundred connections, requests wait for one, and each gets its own reply", async () => {
  let most = 0;
  const { server, rest } = await against(async ({ socket }, body) => {
    most = Math.max(most, server.open);
    await pause(1);
    socket.write(withLength({ result: Number((JSON.parse(body) as string[])[2]) }));
  });
  // It may run twice, so that it takes any idle connection, however long that took on a slow machine.
  const calls = Array.from({ length: 500 }, (_, at) => rest.send([["BITCOUNT", `k${at}`, at, at]]));
  expect(await Promise.all(calls)).toEqual(calls.map((_, at) => [at]));
  expect(most).toBeLessThanOrEqual(100);
  expect(server.sockets.length).toBeLessThanOrEqual(100);
});

const head = "POST / HTTP/1.1\r\ncontent-length: 2\r\n\r\n";

test("beyond a hundred connections none is opened beside those that serve no more", async () => {
  const server = opened(await startRawServer(({ socket }) => socket.write(one)));
  const sockets: Socket[] = [];
  let most = 0;
  const pool = createConnectionPool({
    ready: "connect",
    open(onread) {
      const socket = connect({ host: "127.0.0.1", port: server.port, onread });
      sockets.push(socket);
      most = Math.max(most, sockets.filter(({ destroyed }) => !destroyed).length);
      return socket;
    },
  });
  const send = () =>
    new Promise((succeed, fail) => {
      const pending = {
        head,
        body: "[]",
        bodyBytes: 2,
        maxBodyBytes: 100,
        startWaiting: () => () => {},
        markSent() {},
        succeed,
        fail,
      };
      pool.send(pending, () => false);
    });
  await Promise.all(Array.from({ length: 100 }, send));
  // After so long the server might be about to close them, so they serve no request that must not run twice.
  await pause(60);
  await Promise.all(Array.from({ length: 100 }, send));
  pool.close();
  expect([sockets.length, most]).toEqual([200, 100]);
});

test("a call that ends before its connection stands was not delivered", async () => {
  // It takes connections, and never answers the first message of TLS.
  const server = opened(await startRawServer(() => {}));
  const rest = opened(
    restTransport({ url: `https://127.0.0.1:${server.port}`, token: "t", timeout: patientMs / 1_000 }),
  );
  const late = failure(rest.send([["INCR", "x"]], { timeoutMs: 50 }));
  expect(await late).toMatchObject({ kind: "timeout", delivery: "none" });
  const call = failure(rest.send([["INCR", "x"]]));
  await expect.poll(() => server.sockets.length).toBeGreaterThan(0);
  await rest.close();
  expect(await call).toMatchObject({ kind: "closed", delivery: "none" });
});

test("nothing of a header or a path can become another header", async () => {
  let token = "good";
  const { server, rest } = await against(({ socket }) => socket.write(one), { token: () => token });
  expect(await rest.send([["INCR", "a"]])).toEqual([1]);
  token = "bad\r\nx: y";
  expect(await failure(rest.send([["INCR", "a"]]))).toMatchObject({ kind: "unauthorized" });
  await rest.send([["SET", "a\r\nx: y", Uint8Array.of(0xff)]]).catch(() => {});
  expect(server.heads.join("\n")).not.toContain("x: y");
});
