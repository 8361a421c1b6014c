import { expect, it } from "vitest";
import { onBothEngines } from "./engines.ts";
import { post, send } from "./raw-http.ts";

onBothEngines("endpoints", (running) => {
  const url = () => running().server.url;
  const get = async (path: string) => (await send(url(), path)).json;

  it("/ takes one command as a JSON array, by POST and PUT, and needs no content type", async () => {
    for (const method of ["POST", "PUT"]) {
      const answer = await post(url(), "/", ["SET", "foo", `by ${method}`, "EX", 100], { method });
      expect([answer.status, answer.json]).toEqual([200, { result: "OK" }]);
      expect(await get("/get/foo")).toEqual({ result: `by ${method}` });
    }
    expect((await post(url(), "/", ["TTL", "foo"])).json).toEqual({ result: expect.closeTo(100, -1) });
  });

  it("takes every content type, as curl -d and browsers send", async () => {
    for (const type of [
      "application/x-www-form-urlencoded",
      "application/json; charset=utf-8",
      "text/plain",
      "application/octet-stream",
    ]) {
      const headers = { "content-type": type };
      expect((await post(url(), "/", ["SET", "foo", type], { headers })).json).toEqual({ result: "OK" });
      expect(await get("/get/foo")).toEqual({ result: type });
    }
  });

  it("a path is a command, by GET, HEAD, POST and PUT, in any case", async () => {
    for (const method of ["GET", "POST", "PUT"]) {
      expect((await send(url(), `/set/foo/${method}`, { method })).json).toEqual({ result: "OK" });
      expect((await send(url(), "/GeT/foo", { method })).json).toEqual({ result: method });
    }
    const head = await send(url(), "/set/foo/HEAD", { method: "HEAD" });
    expect([head.status, head.body.length, Number(head.headers["content-length"])]).toEqual([200, 0, 15]);
    expect(await get("/get/foo")).toEqual({ result: "HEAD" });
  });

  it("percent-encoded segments are decoded, slashes and any bytes among them", async () => {
    expect(await get(`/set/${encodeURIComponent("a/b?c#d e,%2B+")}/${encodeURIComponent("ü/😀\n")}`)).toEqual({
      result: "OK",
    });
    expect((await post(url(), "/", ["GET", "a/b?c#d e,%2B+"])).json).toEqual({ result: "ü/😀\n" });
    await send(url(), "/set/bytes/%ff%00%C3");
    expect(await get("/strlen/bytes")).toEqual({ result: 3 });
    expect(await get("/set/./dots")).toEqual({ result: "OK" });
    expect(await get("/get/.")).toEqual({ result: "dots" });
    expect(await get("/set/empty/")).toEqual({ result: "OK" });
    expect(await get("/get/empty")).toEqual({ result: "" });
  });

  it("a body is the last argument of the path, and the query comes after it", async () => {
    expect((await send(url(), "/set/foo", { body: "my value" })).json).toEqual({ result: "OK" });
    expect(await get("/get/foo")).toEqual({ result: "my value" });
    expect((await send(url(), "/set/foo?EX=100&NX", { body: "other" })).json).toEqual({ result: null });
    expect((await send(url(), "/set/foo?EX=100", { body: "other", method: "PUT" })).json).toEqual({ result: "OK" });
    expect(await get("/get/foo")).toEqual({ result: "other" });
    expect(await get("/ttl/foo")).toEqual({ result: expect.closeTo(100, -1) });
    expect(await get("/set/foo/again?EX=50&_token=local&XX")).toEqual({ result: "OK" });
    expect(await get("/ttl/foo")).toEqual({ result: expect.closeTo(50, -1) });
  });

  it("a query value is percent-decoded, and a plus stays a plus", async () => {
    await send(url(), "/rpush/list?a%20b=c+d&e=&f%3Dg");
    expect(await get("/lrange/list/0/-1")).toEqual({ result: ["a b", "c+d", "e", "", "f=g"] });
  });

  it("an empty body and the body of a GET are no argument", async () => {
    expect((await send(url(), "/get/foo", { method: "POST", body: "" })).json).toEqual({ result: null });
    expect((await send(url(), "/get/foo", { method: "GET", body: "ignored" })).json).toEqual({ result: null });
  });

  it("a body that looks like JSON is stored as it is", async () => {
    await send(url(), "/set/foo", { body: '["SET","other","x"]' });
    expect(await get("/get/foo")).toEqual({ result: '["SET","other","x"]' });
  });

  it("/pipeline runs commands in order and answers 200 with errors in their places", async () => {
    const answer = await post(url(), "/pipeline", [
      ["SET", "k", "v"],
      ["INCR", "k"],
      ["GET", "k"],
      [],
      ["NO-SUCH", "x"],
      ["STRLEN", "k"],
    ]);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual([
      { result: "OK" },
      { error: expect.stringMatching(/^ERR value is not an int/) },
      { result: "v" },
      { error: "ERR empty pipeline command" },
      { error: expect.stringMatching(/^ERR Command is not available: 'NO-SUCH'/) },
      { result: 1 },
    ]);
  });

  it("/multi-exec answers 200 when single commands fail at run time", async () => {
    await post(url(), "/", ["SET", "text", "abc"]);
    const answer = await post(url(), "/multi-exec", [
      ["SET", "k", "1"],
      ["INCR", "text"],
      ["INCR", "k"],
    ]);
    expect([answer.status, answer.json]).toEqual([
      200,
      [{ result: "OK" }, { error: expect.stringMatching(/^ERR value is not an int/) }, { result: 2 }],
    ]);
    const lonely = await post(url(), "/multi-exec", [["INCR", "text"]]);
    expect([lonely.status, lonely.json]).toEqual([200, [{ error: expect.stringMatching(/^ERR value is not/) }]]);
  });

  it("a discarded transaction is one error with status 400, and nothing of it happens", async () => {
    for (const [bad, error] of [
      [["GET"], /^ERR wrong number of arguments/],
      [["NO-SUCH", "x"], /^ERR Command is not available: 'NO-SUCH'/],
      [["ROLE"], /^ERR Command is not available: 'ROLE'/],
      [["WATCH", "k"], /^ERR Command "WATCH" is not allowed in REST/],
      [[], /^ERR empty/],
    ] as const) {
      const answer = await post(url(), "/multi-exec", [["SET", "k", "1"], bad, ["SET", "l", "1"]]);
      expect([answer.status, answer.json]).toEqual([400, { error: expect.stringMatching(error) }]);
      expect(await get("/exists/k/l")).toEqual({ result: 0 });
    }
    const lonely = await post(url(), "/multi-exec", [["GET"]]);
    expect([lonely.status, lonely.json]).toEqual([400, { error: expect.stringMatching(/^ERR wrong number/) }]);
  });

  it("/publish is an ordinary command, in the path, on / and in a pipeline", async () => {
    expect(await get("/publish/nobody/hello")).toEqual({ result: 0 });
    expect((await send(url(), "/publish/nobody", { body: "hello" })).json).toEqual({ result: 0 });
    expect((await post(url(), "/pipeline", [["PUBLISH", "nobody", "x"]])).json).toEqual([{ result: 0 }]);
  });

  it("JSON arguments may be strings, numbers, booleans and null; numbers arrive as they were written", async () => {
    const body =
      '["RPUSH","list",13,-0,1.0,1.50,1e3,12345678901234567890,true,false,null,"7","\\"8\\"","\\\\",9,"\\u00e9"]';
    expect((await send(url(), "/", { body })).json).toEqual({ result: 14 });
    expect(await get("/lrange/list/0/-1")).toEqual({
      result: [
        "13",
        "-0",
        "1.0",
        "1.50",
        "1e3",
        "12345678901234567890",
        "true",
        "false",
        "null",
        "7",
        '"8"',
        "\\",
        "9",
        "é",
      ],
    });
    expect(
      (
        await post(url(), "/pipeline", [
          ["SETEX", "key2", 13, "v"],
          ["TTL", "key2"],
        ])
      ).json,
    ).toEqual([{ result: "OK" }, { result: expect.closeTo(13, -1) }]);
  });

  it.each([
    ["/", "{", "ERR failed to parse command"],
    ["/", "", "ERR failed to parse command"],
    ["/", '"GET"', "ERR failed to parse command"],
    ["/", '{"a":1}', "ERR failed to parse command"],
    ["/", '["SET","k",{"a":1}]', "ERR failed to parse command"],
    ["/", '["SET","k",["v"]]', "ERR failed to parse command"],
    ["/", "[]", "ERR empty command"],
    ["/pipeline", "nope", "ERR failed to parse pipeline request"],
    ["/pipeline", '["GET","k"]', "ERR failed to parse pipeline request"],
    ["/pipeline", '[["SET","k",["v"]]]', "ERR failed to parse pipeline request"],
    ["/pipeline", "{}", "ERR failed to parse pipeline request"],
    ["/pipeline", "[]", "ERR empty pipeline request"],
    ["/multi-exec", "nope", "ERR failed to parse multi-exec request"],
    ["/multi-exec", "[]", "ERR empty multi-exec request"],
  ])("%s refuses the body %s with 400", async (path, body, error) => {
    const answer = await send(url(), path, { body, method: "POST" });
    expect([answer.status, answer.json]).toEqual([400, { error }]);
  });

  it("refuses a JSON body that is not UTF-8 instead of storing something else", async () => {
    const body = Buffer.concat([Buffer.from('["SET","k","'), Buffer.from([0xff]), Buffer.from('"]')]);
    expect((await send(url(), "/", { body })).json).toEqual({ error: "ERR failed to parse command" });
  });

  it("replies have the shapes of RESP2: never an object, never a boolean, [] for a missing hash", async () => {
    await post(url(), "/", ["HSET", "h", "f", "v", "n", 1]);
    const answers = await post(url(), "/pipeline", [
      ["HGETALL", "h"],
      ["HGETALL", "missing"],
      ["HMGET", "h", "f", "none"],
      ["HSCAN", "h", 0],
      ["GET", "missing"],
      ["DBSIZE"],
      ["PING"],
      ["TYPE", "h"],
    ]);
    expect(answers.json).toEqual([
      { result: ["f", "v", "n", "1"] },
      { result: [] },
      { result: ["v", null] },
      { result: ["0", ["f", "v", "n", "1"]] },
      { result: null },
      { result: 1 },
      { result: "PONG" },
      { result: "hash" },
    ]);
    expect(answers.headers["content-type"]).toBe("application/json");
  });

  it("an error of a single command is HTTP 400 with the text of Redis", async () => {
    await post(url(), "/", ["RPUSH", "list", "x"]);
    const answer = await send(url(), "/get/list");
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: "WRONGTYPE Operation against a key holding the wrong kind of value" },
    ]);
    expect(await get("/get")).toEqual({ error: "ERR wrong number of arguments for 'get' command" });
  });

  it("other methods are 405, and the answer says which are allowed", async () => {
    for (const method of ["DELETE", "PATCH", "OPTIONS"]) {
      const answer = await send(url(), "/get/foo", { method });
      expect([answer.status, answer.headers.allow]).toEqual([405, "GET, HEAD, POST, PUT"]);
      expect(answer.json).toEqual({ error: `ERR method ${method} is not allowed here` });
    }
    expect((await send(url(), "/pipeline")).status).toBe(405);
    expect((await send(url(), "/multi-exec")).status).toBe(405);
    expect((await send(url(), "/subscribe/a", { method: "PUT" })).status).toBe(405);
  });

  it("GET / answers without a token", async () => {
    const answer = await send(url(), "/", { token: undefined });
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/plain"]);
    expect(answer.body.toString()).toMatch(/upstash-local/);
  });

  it("each answer brings a sync token that differs after each request, and any token is accepted", async () => {
    const seen: unknown[] = [];
    for (const value of ["1", "2", "3"]) {
      const headers = { "upstash-sync-token": value === "1" ? "" : "my-new-sync-token" };
      seen.push((await post(url(), "/", ["SET", "k", value], { headers })).headers["upstash-sync-token"]);
      seen.push((await post(url(), "/pipeline", [["SET", "k", value]], { headers })).headers["upstash-sync-token"]);
    }
    seen.push((await post(url(), "/multi-exec", [["SET", "k", 1]])).headers["upstash-sync-token"]);
    expect(seen.every((token) => typeof token === "string" && token.length > 0)).toBe(true);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("ignores telemetry headers", async () => {
    const headers = {
      "upstash-telemetry-runtime": "node@v20",
      "upstash-telemetry-platform": "unknown",
      "upstash-telemetry-sdk": "@upstash/redis@v1.39.0",
      "upstash-telemetry-retry": "1",
    };
    expect((await post(url(), "/", ["PING"], { headers })).json).toEqual({ result: "PONG" });
  });
});
