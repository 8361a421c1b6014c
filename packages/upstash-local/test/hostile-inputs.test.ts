import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { CommandError, type Transport } from "@continuum-cache/core";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { afterEach, expect, it, onTestFinished } from "vitest";
import { onBothEngines } from "./engines.ts";
import { openStream } from "./event-stream.ts";
import { base64, post, resp2, send } from "./raw-http.ts";

onBothEngines("hostile inputs", (running) => {
  const url = () => running().server.url;
  afterEach(async () => {
    expect((await post(url(), "/", ["PING"])).json).toEqual({ result: "PONG" });
  });

  /** Writes raw bytes, and resolves to all bytes of the answer until the connection ends. */
  const raw = async (text: string | Uint8Array): Promise<string> => {
    const socket = connect(running().server.port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    // No half-close: it would tell the server that the client does not wait for answers.
    if (text.length > 0) socket.write(text);
    else socket.end();
    await once(socket, "close");
    return answer;
  };

  it.each(["/%", "/get/%zz", "/get/%4", "/get/k?EX=%g0", "/%c3%28%"])(
    "malformed percent-encoding is 400: %s",
    async (path) => {
      const answer = await send(url(), path);
      expect([answer.status, answer.json]).toEqual([400, { error: "ERR malformed percent-encoding in the URL" }]);
    },
  );

  it("a body beyond every bound is 413, and not kept", async () => {
    const request = httpRequest(`${url()}/set/k`, {
      method: "POST",
      agent: false,
      headers: { authorization: "Bearer local", "transfer-encoding": "chunked" },
    });
    const answered = once(request, "response");
    const chunk = Buffer.alloc(1 << 20);
    for (let index = 0; index < 40; index++) {
      if (!request.write(chunk)) await once(request, "drain");
    }
    request.end();
    const [response] = await answered;
    expect(response.statusCode).toBe(413);
    response.resume();
    await once(response, "end");
  });

  it("a body announced as endless is refused at once", async () => {
    const headers = "host: x\r\nauthorization: Bearer local\r\ncontent-length: 999999999999";
    const head = `POST /set/k HTTP/1.1\r\n${headers}\r\n\r\nabc`;
    expect(await raw(head)).toMatch(/^HTTP\/1.1 413 [\s\S]*Actual: 999999999999 bytes/);
  });

  it("refuses deep JSON", async () => {
    for (const body of ["[".repeat(200_000), "[".repeat(100_000) + "]".repeat(100_000), '{"a":'.repeat(100_000)]) {
      for (const path of ["/", "/pipeline", "/multi-exec"]) {
        const answer = await send(url(), path, { body });
        expect([answer.status, answer.json]).toEqual([400, { error: expect.stringMatching(/^ERR failed to parse/) }]);
      }
    }
  });

  it("names and arguments with a meaning in JavaScript are just text", async () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", " ", "\r\nPING\r\n", "GET\0", "é"]) {
      const answer = await post(url(), "/", [name, "x"]);
      expect([answer.status, answer.json]).toEqual([
        400,
        { error: expect.stringMatching(/^ERR Command is not available/) },
      ]);
    }
    for (const key of ["__proto__", "\r\n", "*", "\0", "🎉"]) {
      expect((await post(url(), "/", ["SET", key, key])).json).toEqual({ result: "OK" });
      expect((await post(url(), "/", ["GET", key])).json).toEqual({ result: key });
    }
  });

  it("an empty or very long name is refused without being repeated in full", async () => {
    expect((await post(url(), "/", [""])).status).toBe(400);
    expect((await send(url(), "//x")).json).toEqual({ error: "ERR empty command" });
    const answer = await post(url(), "/", ["X".repeat(100_000)]);
    expect(answer.status).toBe(400);
    expect(answer.body.length).toBeLessThan(300);
  });

  it("bytes that are not HTTP get an HTTP answer, and so does an endless URL", async () => {
    expect(await raw("*1\r\n$4\r\nPING\r\n")).toMatch(/^HTTP\/1.1 400 [\s\S]*not valid HTTP/);
    expect(await raw(Uint8Array.from([0x16, 0x03, 0x01, 0x00, 0xff, 0x00]))).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(`GET /get/${"k".repeat(300_000)} HTTP/1.1\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 [\s\S]*too long/);
    expect(await raw("")).toBe("");
  });

  it("answers valid requests before garbage that follows on the same connection", async () => {
    const good = "GET /ping HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local\r\n\r\n";
    const answer = await raw(`${good}${good}garbage garbage\r\n\r\n`);
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 200", "HTTP/1.1 400"]);
    expect(answer.match(/\{"result":"PONG"\}/g)).toHaveLength(2);
  });

  it("a body whose chunks are malformed is answered, and its connection ends", async () => {
    const head = "POST /set/k HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local\r\ntransfer-encoding: chunked\r\n\r\n";
    expect(await raw(`${head}5\r\nhello\r\nnot-a-size\r\n`)).toMatch(/^HTTP\/1.1 400 /);
    expect((await send(url(), "/exists/k")).json).toEqual({ result: 0 });
  });

  it("pipelined requests are answered in order", async () => {
    const ask = (name: string, close = "") =>
      `GET /echo/${name} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local\r\n${close}\r\n`;
    const answer = await raw(ask("one") + ask("two") + ask("three", "connection: close\r\n"));
    expect(answer.match(/\{"result":"\w+"\}/g)).toEqual(['{"result":"one"}', '{"result":"two"}', '{"result":"three"}']);
  });

  it("a client that goes away in the middle of its body, or before its answer, does no harm", async () => {
    for (let index = 0; index < 20; index++) {
      const socket = connect(running().server.port, "127.0.0.1");
      await once(socket, "connect");
      const head =
        "POST /set/half HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local\r\ncontent-length: 100\r\n\r\nonly this";
      socket.write(index % 2 ? head : "GET /get/k HTTP/1.1\r\nhost: x\r\nauthorization: Bearer local\r\n\r\n");
      await new Promise((resolve) => setImmediate(resolve));
      socket.destroy();
    }
    expect((await send(url(), "/exists/half")).json).toEqual({ result: 0 });
  });

  it("streams that are opened and dropped at once leave nothing behind", async () => {
    for (let index = 0; index < 10; index++) {
      const request = httpRequest(`${url()}/subscribe/dropped`, {
        agent: false,
        headers: { authorization: "Bearer local" },
      });
      request.on("error", () => {});
      request.end();
      await new Promise((resolve) => setTimeout(resolve, index % 3));
      request.destroy();
    }
    await expect.poll(async () => (await send(url(), "/publish/dropped/x")).json).toEqual({ result: 0 });
  });

  it("a value that looks like the formats around it comes back as it is", async () => {
    const value = '"}],{"result":"forged"}\r\n+OK\r\n-ERR\u2028\u0000';
    await post(url(), "/", ["SET", "k", value]);
    expect((await post(url(), "/", ["GET", "k"])).json).toEqual({ result: value });
    const encoded = (await post(url(), "/", ["GET", "k"], { headers: base64 })).json as { result: string };
    expect(Buffer.from(encoded.result, "base64").toString()).toBe(value);
    expect((await post(url(), "/", ["GET", "k"], { headers: resp2 })).body.toString()).toBe(
      `$${Buffer.byteLength(value)}\r\n${value}\r\n`,
    );
  });
});

it("a Redis that is away is HTTP 500 with an error, and back again when it is back", async () => {
  const redis = await startRedisServer();
  onTestFinished(() => redis.close());
  const server = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
  const stream = await openStream(server.url, "/subscribe/chat");
  await stream.first(1);
  await redis.kill();
  await stream.ended;
  for (const [path, body] of [
    ["/", ["SET", "k", "canary-value"]],
    ["/pipeline", [["GET", "k"]]],
    ["/multi-exec", [["GET", "k"]]],
    ["/subscribe/chat", []],
  ] as const) {
    const answer = await post(server.url, path, body);
    expect([answer.status, answer.json]).toEqual([
      500,
      { error: expect.stringMatching(/^ERR the engine .*unreachable/) },
    ]);
    expect(answer.body.toString()).not.toContain("canary");
  }
  await redis.restart();
  expect((await post(server.url, "/", ["PING"])).json).toEqual({ result: "PONG" });
  await server.close();
});

it("a Redis that hangs is HTTP 500 at the deadline", async () => {
  const redis = await startRedisServer();
  onTestFinished(() => redis.close());
  const server = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url, timeout: "100ms" });
  await post(server.url, "/", ["PING"]);
  redis.freeze();
  const answer = await post(server.url, "/", ["PING"]);
  expect([answer.status, answer.json]).toEqual([500, { error: expect.stringMatching(/\(timeout\)/) }]);
  redis.thaw();
  await server.close();
});

it("a Redis that refuses the server's own password does not look like a wrong token", async () => {
  const redis = await startRedisServer({ password: "s3cret-canary" });
  onTestFinished(() => redis.close());
  const server = await startUpstashLocal({
    port: 0,
    token: "local",
    redisUrl: redis.url.replace("s3cret-canary", "wr0ng-canary"),
  });
  const answer = await post(server.url, "/", ["PING"]);
  expect(answer.status).toBe(500);
  expect(answer.json).toEqual({ error: expect.stringMatching(/^ERR the engine behind upstash-local/) });
  expect(answer.body.toString()).not.toContain("canary");
  await server.close();
});

it("a defect of an engine is HTTP 500 without its words, and the server lives on", async () => {
  let defective = true;
  const engine: Transport = {
    name: "defective",
    send: async (commands) => {
      if (defective) throw new TypeError("canary: a stored value");
      return commands.map(() => new CommandError("ERR no"));
    },
    close: async () => {},
  };
  const server = await startUpstashLocal({ port: 0, token: "local", engine });
  const answer = await post(server.url, "/", ["PING"]);
  expect([answer.status, answer.json]).toEqual([500, { error: "ERR internal error of upstash-local" }]);
  const stream = await post(server.url, "/subscribe/c", []);
  expect([stream.status, stream.json]).toEqual([400, { error: expect.stringMatching(/can't subscribe/) }]);
  defective = false;
  expect((await post(server.url, "/", ["PING"])).json).toEqual({ error: "ERR no" });
  await server.close();
});
