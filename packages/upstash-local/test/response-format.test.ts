import { defineScript } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";
import { onBothEngines, onRedis } from "./engines.ts";
import { b64, base64, post, resp2, send } from "./raw-http.ts";

/** Bytes that are no UTF-8, with NUL, line ends and a text that looks like an escape. */
const bytes = Uint8Array.from([0xff, 0x00, 0xc3, 0x28, 0x0d, 0x0a, 0x25, 0x34, 0x31, 0x2b, 0x26, 0x3d]);
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index);

onBothEngines("response formats", (running) => {
  const url = () => running().server.url;
  const run = async (command: unknown[], headers: Record<string, string> = {}) =>
    (await post(url(), "/", command, { headers })).json;
  const resp = async (path: string) => (await send(url(), path, { headers: resp2 })).body.toString("latin1");

  describe("Upstash-Encoding: base64", () => {
    it("leaves OK at the top, and encodes other statuses and texts", async () => {
      expect(await run(["SET", "k", "bar"], base64)).toEqual({ result: "OK" });
      expect(await run(["GET", "k"], base64)).toEqual({ result: b64("bar") });
      expect(await run(["PING"], base64)).toEqual({ result: b64("PONG") });
      expect(await run(["TYPE", "k"], base64)).toEqual({ result: b64("string") });
      expect(await run(["TYPE", "missing"], base64)).toEqual({ result: b64("none") });
      expect(await run(["SET", "k", ""], base64)).toEqual({ result: "OK" });
      expect(await run(["GET", "k"], base64)).toEqual({ result: "" });
    });

    it("a stored OK is readable in either form", async () => {
      await run(["SET", "k", "OK"]);
      const { result } = (await run(["GET", "k"], base64)) as { result: string };
      expect(["OK", b64("OK")]).toContain(result);
    });

    it("encodes every text inside arrays, OK included, at any depth", async () => {
      await run(["MSET", "a", "OK", "b", "x"]);
      await run(["HSET", "h", "OK", "v"]);
      expect(await run(["MGET", "a", "none", "b"], base64)).toEqual({ result: [b64("OK"), null, b64("x")] });
      expect(await run(["HSCAN", "h", 0], base64)).toEqual({ result: [b64("0"), [b64("OK"), b64("v")]] });
    });

    it("leaves integers, nulls and errors as they are", async () => {
      expect(await run(["INCR", "n"], base64)).toEqual({ result: 1 });
      expect(await run(["GET", "missing"], base64)).toEqual({ result: null });
      expect(await run(["INCR"], base64)).toEqual({ error: "ERR wrong number of arguments for 'incr' command" });
      const unauthorized = await send(url(), "/ping", { token: "wrong", headers: base64 });
      expect(unauthorized.json).toEqual({ error: expect.stringMatching(/^WRONGPASS/) });
    });

    it("has the same rules in each slot of a pipeline and a transaction", async () => {
      await run(["SET", "text", "abc"]);
      for (const path of ["/pipeline", "/multi-exec"]) {
        const answer = await post(
          url(),
          path,
          [
            ["SET", "k", "v"],
            ["GET", "k"],
            ["INCR", "text"],
            ["MGET", "k"],
            ["STRLEN", "k"],
            ["GET", "none"],
          ],
          { headers: base64 },
        );
        expect(answer.json).toEqual([
          { result: "OK" },
          { result: b64("v") },
          { error: expect.stringMatching(/^ERR value is not/) },
          { result: [b64("v")] },
          { result: 1 },
          { result: null },
        ]);
      }
    });

    it("encodes the original bytes", async () => {
      for (const value of [bytes, everyByte, Buffer.from("\ufefföä😀")]) {
        expect((await send(url(), "/set/k", { body: value })).json).toEqual({ result: "OK" });
        expect(await run(["GET", "k"], base64)).toEqual({ result: b64(value) });
        expect(await run(["MGET", "k", "k"], base64)).toEqual({ result: [b64(value), b64(value)] });
        expect(await run(["STRLEN", "k"])).toEqual({ result: value.length });
      }
    });
  });

  it("without the header, bytes that are no UTF-8 become U+FFFD", async () => {
    await send(url(), "/set/k", { body: Uint8Array.from([0x61, 0xff, 0x62]) });
    expect(await run(["GET", "k"])).toEqual({ result: "a\ufffdb" });
    expect(await run(["MGET", "k"])).toEqual({ result: ["a\ufffdb"] });
  });

  describe("Upstash-Response-Format: resp2", () => {
    it("answers the RESP2 reply as application/octet-stream", async () => {
      const answer = await send(url(), "/set/foo/bar", { headers: resp2 });
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, "application/octet-stream"]);
      expect(answer.body.toString()).toBe("+OK\r\n");
      expect(await resp("/get/foo")).toBe("$3\r\nbar\r\n");
      expect(await resp("/get/missing")).toBe("$-1\r\n");
      expect(await resp("/incr/n")).toBe(":1\r\n");
      expect(await resp("/mget/foo/missing")).toBe("*2\r\n$3\r\nbar\r\n$-1\r\n");
      expect(await resp("/hgetall/missing")).toBe("*0\r\n");
      expect(await resp("/ping")).toBe("+PONG\r\n");
      expect(await resp("/type/foo")).toBe("+string\r\n");
      expect(await resp("/ping/OK")).toBe("$2\r\nOK\r\n");
    });

    it("tells a status OK from a stored one", async () => {
      expect(await resp("/set/foo/OK")).toBe("+OK\r\n");
      expect(await resp("/get/foo")).toBe("$2\r\nOK\r\n");
      expect(await resp("/set/foo/GET")).toBe("+OK\r\n");
      expect(await resp("/set/foo/OK")).toBe("+OK\r\n");
      expect(await resp("/set/foo/new/get")).toBe("$2\r\nOK\r\n");
      expect(await resp("/mset/foo/OK")).toBe("+OK\r\n");
      expect(await resp("/getdel/foo")).toBe("$2\r\nOK\r\n");
    });

    it("is byte-exact both ways: raw body in, RESP2 out", async () => {
      for (const value of [bytes, everyByte]) {
        const written = await send(url(), "/set/bin?EX=100", {
          body: value,
          headers: { "content-type": "application/octet-stream" },
        });
        expect(written.json).toEqual({ result: "OK" });
        const answer = await send(url(), "/get/bin", { headers: resp2 });
        expect(
          answer.body.equals(Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from("\r\n")])),
        ).toBe(true);
      }
    });

    it("writes an error as RESP, with status 400 for a single command", async () => {
      const answer = await send(url(), "/get", { headers: resp2 });
      expect([answer.status, answer.body.toString()]).toEqual([
        400,
        "-ERR wrong number of arguments for 'get' command\r\n",
      ]);
    });

    it("writes the replies of a pipeline one after the other", async () => {
      const answer = await post(url(), "/pipeline", [["SET", "k", "v"], ["GET"], ["GET", "k"], ["INCR", "n"]], {
        headers: resp2,
      });
      expect([answer.status, answer.body.toString()]).toEqual([
        200,
        "+OK\r\n-ERR wrong number of arguments for 'get' command\r\n$1\r\nv\r\n:1\r\n",
      ]);
    });

    it("does not apply to a transaction", async () => {
      const answer = await post(url(), "/multi-exec", [["SET", "k", "v"]], { headers: resp2 });
      expect([answer.headers["content-type"], answer.json]).toEqual(["application/json", [{ result: "OK" }]]);
    });

    it("json is the default by another name; anything else, or base64 too, is 400 and runs nothing", async () => {
      expect(await run(["PING"], { "upstash-response-format": "json" })).toEqual({ result: "PONG" });
      for (const headers of [{ "upstash-response-format": "resp3" }, { ...resp2, ...base64 }]) {
        const answer = await post(url(), "/", ["SET", "ran", "1"], { headers });
        expect([answer.status, answer.json]).toEqual([
          400,
          { error: expect.stringMatching(/^ERR Upstash-Response-Format/) },
        ]);
      }
      expect(await run(["EXISTS", "ran"])).toEqual({ result: 0 });
    });
  });
});

const okAndNil = defineScript({
  name: "upstash-local-test-nested",
  keys: 0,
  lua: "return { 'OK', { 'OK', 7, { 'deep' } }, false, 'end' }",
  memory: () => ["OK", ["OK", 7, ["deep"]], null, "end"],
});

onBothEngines("replies of scripts", (running) => {
  it("nested arrays are encoded at every level", async () => {
    const command = ["EVAL", okAndNil.lua, 0];
    const { url } = running().server;
    expect((await post(url, "/", command)).json).toEqual({ result: ["OK", ["OK", 7, ["deep"]], null, "end"] });
    expect((await post(url, "/", command, { headers: base64 })).json).toEqual({
      result: [b64("OK"), [b64("OK"), 7, [b64("deep")]], null, b64("end")],
    });
    expect((await post(url, "/", command, { headers: resp2 })).body.toString()).toBe(
      "*4\r\n$2\r\nOK\r\n*3\r\n$2\r\nOK\r\n:7\r\n*1\r\n$4\r\ndeep\r\n$-1\r\n$3\r\nend\r\n",
    );
  });
});

describe("in front of Redis", () => {
  onRedis((running) => {
    it("bytes are the same for a client of the Redis protocol", async () => {
      await send(running().server.url, "/set/k", { body: bytes });
      expect(await running().redis?.command("STRLEN", "k")).toBe(bytes.length);
      expect(await running().redis?.command("GETRANGE", "k", 6, 8)).toBe("%41");
    });

    it("integers are JSON numbers", async () => {
      const { url } = running().server;
      await post(url, "/", ["SET", "n", "9007199254740900"]);
      expect((await post(url, "/", ["INCR", "n"])).json).toEqual({ result: 9_007_199_254_740_901 });
    });
  });
});
