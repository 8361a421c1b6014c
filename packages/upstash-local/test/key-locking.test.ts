import { createHash } from "node:crypto";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { describe, expect, it, onTestFinished } from "vitest";
import { onRedis } from "./engines.ts";
import { post } from "./raw-http.ts";

const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
const fresh = () => `return redis.call("INCRBY", KEYS[1], ARGV[1]) -- ${Math.random()}`;
const flagged = (lua: string) => `#!lua flags=allow-key-locking\n${lua}`;

describe("scripts with the flag of the service, in front of Redis", () => {
  onRedis((running) => {
    const run = async (...command: (string | number)[]) => (await post(running().server.url, "/", command)).json;

    it("EVAL runs, and EVALSHA by the hash of the caller's own text", async () => {
      const script = flagged(fresh());
      expect(await run("EVALSHA", sha1(script), 1, "n", 1)).toEqual({ error: expect.stringMatching(/^NOSCRIPT/) });
      expect(await run("EVAL", script, 1, "n", 2)).toEqual({ result: 2 });
      expect(await run("EVALSHA", sha1(script), 1, "n", 3)).toEqual({ result: 5 });
      expect(await run("EVALSHA", sha1(script).toUpperCase(), 1, "n", 3)).toEqual({ result: 8 });
    });

    it("SCRIPT LOAD answers the hash of what was sent, and SCRIPT EXISTS knows it", async () => {
      const script = flagged(fresh());
      expect(await run("SCRIPT", "EXISTS", sha1(script))).toEqual({ result: [0] });
      expect(await run("script", "load", script)).toEqual({ result: sha1(script) });
      expect(await run("SCRIPT", "EXISTS", sha1(script), "0".repeat(40))).toEqual({ result: [1, 0] });
      const { url } = running().server;
      const transaction = await post(url, "/multi-exec", [
        ["SET", "n", 1],
        ["EVALSHA", sha1(script), 1, "n", 1],
      ]);
      expect(transaction.json).toEqual([{ result: "OK" }, { result: 2 }]);
    });

    it("a forgotten script is NOSCRIPT again", async () => {
      const script = flagged(fresh());
      await run("EVAL", script, 1, "n", 1);
      await run("SCRIPT", "FLUSH");
      expect(await run("EVALSHA", sha1(script), 1, "n", 1)).toEqual({ error: expect.stringMatching(/^NOSCRIPT/) });
    });

    it("other flags stay, other scripts are not touched, and EVAL_RO runs too", async () => {
      const readOnly = "#!lua flags=no-writes,allow-key-locking\nreturn redis.call('SET', KEYS[1], 1)";
      expect(await run("EVAL", readOnly, 1, "n")).toEqual({
        error: expect.stringMatching(/Write commands are not allowed/),
      });
      expect(await run("EVAL_RO", `#!lua flags=allow-key-locking\nreturn 7`, 0)).toEqual({ result: 7 });
      const plain = "#!lua\nreturn 8";
      expect(await run("SCRIPT", "LOAD", plain)).toEqual({ result: sha1(plain) });
      expect(await run("EVALSHA", sha1(plain), 0)).toEqual({ result: 8 });
      expect(await run("EVAL", "return '#!lua flags=allow-key-locking'", 0)).toEqual({
        result: "#!lua flags=allow-key-locking",
      });
    });

    it("an error keeps its line number", async () => {
      expect(await run("EVAL", flagged("\nreturn nothing.here"), 0)).toEqual({
        error: expect.stringMatching(/user_script:3:/),
      });
    });
  });
});

it("holds for an engine of the caller's own", async () => {
  const redis = await startRedisServer();
  onTestFinished(() => redis.close());
  const engine = tcpTransport({ url: redis.url });
  const server = await startUpstashLocal({ port: 0, token: "local", engine });
  const script = flagged("return 'mine'");
  expect((await post(server.url, "/", ["EVAL", script, 0])).json).toEqual({ result: "mine" });
  await server.close();
  expect(await engine.send([["PING"]])).toEqual(["PONG"]);
  await engine.close();
});
