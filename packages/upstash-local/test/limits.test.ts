import { startUpstashLocal, type UpstashLocal, type UpstashLocalOptions } from "@continuum-cache/upstash-local";
import { afterEach, expect, it } from "vitest";
import { onBothEngines } from "./engines.ts";
import { post, send } from "./raw-http.ts";

const tooLarge = (limit: number, actual: number) =>
  `ERR max request size exceeded. Limit: ${limit} bytes, Actual: ${actual} bytes. ` +
  "See https://upstash.com/docs/redis/troubleshooting/max_request_size_exceeded for details";

let own: UpstashLocal | undefined;
const start = async (options: UpstashLocalOptions) => {
  own = await startUpstashLocal({ port: 0, token: "local", ...options });
  return own.url;
};
afterEach(() => own?.close());

onBothEngines("size limits of the plan", (running) => {
  const url = () => running().server.url;

  it("a request over 10 MB is 413, whichever way it comes", async () => {
    const value = "x".repeat(11_245_919 - "SETk".length);
    const json = await post(url(), "/", ["SET", "k", value]);
    expect([json.status, json.json]).toEqual([413, { error: tooLarge(10_485_760, 11_245_919) }]);
    const raw = await send(url(), "/set/k", { body: value });
    expect([raw.status, raw.json]).toEqual([413, { error: tooLarge(10_485_760, value.length) }]);
    expect((await send(url(), "/exists/k")).json).toEqual({ result: 0 });
  });

  it("the limit is per command: in a pipeline the others run, and a transaction is discarded", async () => {
    const commands = [
      ["SET", "a", "1"],
      ["SET", "b", "x".repeat(10_485_760)],
      ["SET", "c", "1"],
    ];
    const pipeline = await post(url(), "/pipeline", commands);
    const error = tooLarge(10_485_760, 10_485_764);
    expect([pipeline.status, pipeline.json]).toEqual([200, [{ result: "OK" }, { error }, { result: "OK" }]]);
    const transaction = await post(url(), "/multi-exec", [["INCR", "a"], commands[1]]);
    expect([transaction.status, transaction.json]).toEqual([400, { error }]);
    expect((await send(url(), "/mget/a/b/c")).json).toEqual({ result: ["1", null, "1"] });
  });

  it("a pipeline of more than 10 MB in total is fine, its answer too", async () => {
    const value = "x".repeat(3_000_000);
    const writes = Array.from({ length: 5 }, (_, index) => ["SET", `big${index}`, value]);
    expect((await post(url(), "/pipeline", writes)).json).toEqual(writes.map(() => ({ result: "OK" })));
    const reads = await post(
      url(),
      "/pipeline",
      writes.map(([, key]) => ["GET", key]),
    );
    expect(reads.json).toEqual(writes.map(() => ({ result: value })));
    const keys = writes.map(([, key]) => key);
    const together = await post(url(), "/", ["MGET", ...keys]);
    expect([together.status, together.json]).toEqual([400, { error: tooLarge(10_485_760, 15_000_000) }]);
    const slots = await post(url(), "/pipeline", [["MGET", ...keys], ["PING"]]);
    expect([slots.status, slots.json]).toEqual([
      200,
      [{ error: tooLarge(10_485_760, 15_000_000) }, { result: "PONG" }],
    ]);
  });

  it("a key is at most 32 KB, in characters of any length", async () => {
    expect((await post(url(), "/", ["SET", "k".repeat(32_768), "v"])).json).toEqual({ result: "OK" });
    const error = "ERR max key size exceeded. Limit: 32768 bytes, Actual: 32770 bytes";
    for (const command of [
      ["SET", "é".repeat(16_385), "v"],
      ["GET", "k".repeat(32_770)],
      ["MSET", "a", "x".repeat(40_000), "k".repeat(32_770), "v"],
      ["DEL", "a", "k".repeat(32_770)],
    ]) {
      const answer = await post(url(), "/", command);
      expect([answer.status, answer.json]).toEqual([400, { error }]);
    }
    expect((await post(url(), "/", ["SET", "k", "v".repeat(40_000)])).json).toEqual({ result: "OK" });
  });

  it("the path carries the longest key, escaped", async () => {
    const key = "%2F".repeat(32_768);
    expect((await send(url(), `/set/${key}`, { body: "v" })).json).toEqual({ result: "OK" });
    expect((await send(url(), `/get/${key}`)).json).toEqual({ result: "v" });
  });
});

it("limits can be set lower", async () => {
  const url = await start({ limits: { requestBytes: 100, recordBytes: 50, keyBytes: 10, pipelineBytes: 200 } });
  expect((await post(url, "/", ["SET", "k", "v".repeat(40)])).json).toEqual({ result: "OK" });
  expect((await post(url, "/", ["SET", "k", "v".repeat(60)])).json).toEqual({
    error: "ERR max single record size exceeded",
  });
  expect((await post(url, "/", ["GET", "k".repeat(11)])).json).toEqual({
    error: "ERR max key size exceeded. Limit: 10 bytes, Actual: 11 bytes",
  });
  expect((await post(url, "/", ["ECHO", "v".repeat(100)])).status).toBe(413);
  const pipeline = await post(url, "/pipeline", [["ECHO", "x".repeat(300)]]);
  expect([pipeline.status, pipeline.json]).toEqual([413, { error: tooLarge(200, 313) }]);
});

it("a used-up command quota is an error with the text of the service, and free commands still run", async () => {
  const url = await start({ limits: { requests: 3 } });
  const error =
    "ERR max requests limit exceeded. Limit: 3, Usage: 3. " +
    "See https://upstash.com/docs/redis/troubleshooting/max_requests_limit for details";
  expect((await post(url, "/", ["PING"])).status).toBe(200);
  expect((await post(url, "/", ["SET", "a", "1"])).status).toBe(200);
  const pipeline = await post(url, "/pipeline", [["GET", "a"], ["PING"], ["GET", "a"], ["GET", "a"]]);
  expect([pipeline.status, pipeline.json]).toEqual([
    200,
    [{ result: "1" }, { result: "PONG" }, { result: "1" }, { error }],
  ]);
  const single = await post(url, "/", ["GET", "a"]);
  expect([single.status, single.json]).toEqual([400, { error }]);
  const transaction = await post(url, "/multi-exec", [["PING"], ["GET", "a"]]);
  expect([transaction.status, transaction.json]).toEqual([400, { error }]);
  expect((await post(url, "/", ["PING"])).status).toBe(200);
  expect(own?.usage).toEqual({ requests: 6, commands: 3 });
});

it("refused commands and requests cost nothing; each command of a pipeline and a transaction costs one", async () => {
  const url = await start({});
  await post(url, "/", ["MULTI"]);
  await post(url, "/", ["GET", "a"], { token: "wrong" });
  await post(url, "/pipeline", [["GET", "a"], ["ROLE"], ["MGET", "a", "b"]]);
  await post(url, "/multi-exec", [
    ["GET", "a"],
    ["GET", "b"],
  ]);
  expect(own?.usage).toEqual({ requests: 4, commands: 4 });
});

it("a limit that is no positive number is refused at the start", async () => {
  await expect(startUpstashLocal({ port: 0, limits: { keyBytes: 0 } })).rejects.toMatchObject({
    name: "ConfigError",
    message: "Expected `limits.keyBytes` to be a positive number, got 0",
  });
  const wrong = startUpstashLocal({ port: 0, limits: { requests: Number.NaN } });
  await expect(wrong).rejects.toMatchObject({ name: "ConfigError", setting: "limits.requests" });
});
