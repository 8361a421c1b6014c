import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { join, resolve } from "node:path";
import { bundledProgram } from "@continuum-cache/test-scale/bundled-program";
import { startUpstashLocal, type UpstashLocal, type UpstashLocalOptions } from "@continuum-cache/upstash-local";
import { afterEach, expect, it } from "vitest";
import { openStream, until } from "./event-stream.ts";
import { post, send } from "./raw-http.ts";

let server: UpstashLocal | undefined;
let child: ChildProcess | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
  if (child?.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
  child = undefined;
});

async function start(options: UpstashLocalOptions = {}): Promise<string> {
  server = await startUpstashLocal({ port: 0, token: "local", readOnlyToken: "ro", ...options });
  return server.url;
}

/** A server in a process of its own, with a small heap. */
async function startSmall(heapMb: number): Promise<string> {
  const root = resolve(import.meta.dirname, "../../..");
  const cli = await bundledProgram(join(root, "packages/upstash-local/src/cli.ts"));
  const args = ["--port", "0", "--token", "local", "--read-only-token", "ro"];
  const started = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, cli, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "ignore"],
  });
  child = started;
  let printed = "";
  started.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    printed += chunk;
  });
  await until(
    () => printed.includes("read-only"),
    () => `Expected a server, got ${printed}`,
  );
  return /http:\/\/[\d.:]+/.exec(printed)?.[0] ?? "";
}

const tooMany = (limit: number, actual: number) => ({
  error:
    `ERR upstash-local takes at most ${limit} commands in one request, got ${actual}: send them in parts ` +
    "(`limits.pipelineCommands`)",
});

it("a body of empty commands is refused before it is parsed, and a small process survives it", async () => {
  const url = await startSmall(96);
  const count = 2_000_000;
  const body = `[${"[],".repeat(count - 1)}[]]`;
  for (const path of ["/pipeline", "/multi-exec"]) {
    const answer = await send(url, path, { body, token: "ro" });
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual({ error: expect.stringMatching(/^ERR failed to parse/) });
  }
  const fewer = await send(url, "/pipeline", { body: `[${"[],".repeat(99_999)}[]]`, token: "ro" });
  expect([fewer.status, fewer.json]).toEqual([413, tooMany(10_000, 100_000)]);
  expect((await post(url, "/", ["PING"])).json).toEqual({ result: "PONG" });
});

it("a few bytes of reads can't make a small process hold hundreds of megabytes", async () => {
  const url = await startSmall(128);
  await post(url, "/", ["SET", "k", "x".repeat(4_000_000)]);
  for (const headers of [{}, { "upstash-encoding": "base64" }]) {
    const answer = await post(
      url,
      "/pipeline",
      Array.from({ length: 100 }, () => ["GET", "k"]),
      { token: "ro", headers },
    );
    expect(answer.status).toBe(200);
    const slots = answer.json as readonly object[];
    expect(slots).toHaveLength(100);
    // Sixteen commands run at once, and the size of their replies is known only then.
    expect(slots.filter((slot) => "result" in slot)).toHaveLength(32);
    expect(slots.at(-1)).toEqual({ error: expect.stringMatching(/^ERR max request size exceeded: not run/) });
  }
  expect((await post(url, "/", ["PING"])).json).toEqual({ result: "PONG" });
});

it("commands that a pipeline refuses for the size of earlier replies do not run, and cost nothing", async () => {
  const url = await start({ limits: { pipelineReplyBytes: 10_000 } });
  await post(url, "/", ["SET", "k", "x".repeat(1_000)]);
  const before = server?.usage.commands ?? 0;
  const commands = [
    ...Array.from({ length: 16 }, () => ["GET", "k"]),
    ...Array.from({ length: 5 }, () => ["INCR", "n"]),
  ];
  const slots = (await post(url, "/pipeline", commands)).json as readonly object[];
  expect(slots.filter((slot) => "error" in slot)).toHaveLength(5);
  expect((await post(url, "/", ["EXISTS", "n"])).json).toEqual({ result: 0 });
  expect(server?.usage.commands).toBe(before + 17);
});

it("accepts as many commands as the service's clients send together", async () => {
  const url = await start();
  const commands = Array.from({ length: 10_000 }, (_, at) => ["SET", `k${at}`, at]);
  expect((await post(url, "/pipeline", commands)).json).toEqual(commands.map(() => ({ result: "OK" })));
  const more = [...commands, ["PING"]];
  expect((await post(url, "/multi-exec", more)).json).toEqual(tooMany(10_000, 10_001));
  expect((await post(url, "/", ["DBSIZE"])).json).toEqual({ result: 10_000 });
});

it.each([
  ["lists in a command", '["GET",["k"]]', "/"],
  ["lists in a pipeline's command", '[["GET",["k"]]]', "/pipeline"],
  ["objects", '[{"GET":"k"}]', "/pipeline"],
  ["a number with a leading zero", '["SET","k",01]', "/"],
  ["a string without an end", '["SET","k","v', "/"],
  ["a string that ends in an escape", '["SET","k","v\\', "/"],
  ["brackets without a partner", "]]]]", "/pipeline"],
  ["millions of arguments", `["DEL"${',""'.repeat(1_100_000)}]`, "/"],
])("%s are 400", async (_, body, path) => {
  const answer = await send(await start(), path, { body });
  expect([answer.status, answer.json]).toEqual([400, { error: expect.stringMatching(/^ERR failed to parse/) }]);
});

it("brackets, commas and digits within strings are just text", async () => {
  const url = await start();
  const value = '[[[[{"a":1},\\"]]]],,,,12';
  expect(
    (
      await post(url, "/pipeline", [
        ["SET", "k", value],
        ["GET", "k"],
      ])
    ).json,
  ).toEqual([{ result: "OK" }, { result: value }]);
});

it("a body that comes byte by byte is read, and what all requests hold together is bounded", async () => {
  const url = await start({ limits: { heldBytes: 3_000_000, pipelineBytes: 2_000_000, requestBytes: 2_000_000 } });
  const begin = () => {
    const request = httpRequest(`${url}/set/slow`, {
      method: "POST",
      agent: false,
      headers: { authorization: "Bearer local", "transfer-encoding": "chunked" },
    });
    const sent = { request, answered: once(request, "response"), isOver: false };
    const noteEnd = (): void => {
      sent.isOver = true;
    };
    sent.answered.then(noteEnd, noteEnd);
    for (let at = 0; at < 2_000; at++) request.write("x");
    request.write("y".repeat(1_500_000));
    return sent;
  };
  let slow = begin();
  await expect
    .poll(async () => {
      const { status } = await send(url, "/set/k", { body: "z".repeat(1_900_000) });
      // If the other request comes first, the slow one is refused and sent again.
      if (slow.isOver) slow = begin();
      return status;
    })
    .toBe(503);
  slow.request.end();
  const [response] = await slow.answered;
  expect(response.statusCode).toBe(200);
  response.resume();
  await once(response, "end");
  expect((await post(url, "/", ["STRLEN", "slow"])).json).toEqual({ result: 1_502_000 });
  expect((await send(url, "/set/k", { body: "z".repeat(1_900_000) })).status).toBe(200);
});

it("limits the number of streams, and a stream that ends makes room", async () => {
  const url = await start({ limits: { streams: 2 } });
  const streams = [await openStream(url, "/subscribe/a"), await openStream(url, "/subscribe/b")];
  for (const stream of streams) await stream.first(1);
  const third = await openStream(url, "/subscribe/c");
  expect(third.status).toBe(400);
  streams[0]?.abort();
  await until(
    async () => (await openStream(url, "/subscribe/c")).status === 200,
    () => "Expected room for another stream",
  );
});
