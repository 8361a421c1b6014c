import { type Command, CommandError, type Reply } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fromBase64 } from "../src/request/base64.ts";
import { answer, b64, startScriptedServer } from "./scripted-server.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** The reply to one command, when the server answers so. */
async function replyTo(body: unknown, status = 200): Promise<Reply | undefined> {
  const server = await startScriptedServer((_, response) => answer(response, body, status));
  const rest = restTransport({ url: server.url, token: "secret" });
  open.push(rest.close, server.close);
  return (await rest.send([["EVAL", "return ARGV[1]", 0]]))[0];
}

describe("replies", () => {
  test.each<[string, unknown, Reply]>([
    ["OK, which is never encoded", "OK", "OK"],
    ["another status", b64("PONG"), "PONG"],
    ["a stored OK", b64("OK"), "OK"],
    ["an empty text", "", ""],
    ["a text of digits stays text", b64("123"), "123"],
    ["a number beyond 2^53 that is stored stays exact", b64("9007199254740993"), "9007199254740993"],
    ["JSON stays JSON", b64('{"a":true}'), '{"a":true}'],
    ["a byte order mark stays", b64("\ufeffx"), "\ufeffx"],
    ["a stored replacement character", b64("a\ufffdb"), "a\ufffdb"],
    ["an emoji", b64("🙂"), "🙂"],
    ["an integer", 42, 42],
    ["null", null, null],
    ["a list with encoded OKs", [b64("OK"), b64("a"), null, 7], ["OK", "a", null, 7]],
    ["a list with raw OKs", ["OK", ["OK"]], ["OK", ["OK"]]],
    ["lists in lists", [b64("0"), [b64("k1"), [b64("k2")]]], ["0", ["k1", ["k2"]]]],
    ["a missing hash", [], []],
  ])("%s", async (_, result, expected) => {
    expect(await replyTo({ result })).toEqual(expected);
  });

  test("bytes that are no UTF-8 come back as those bytes", async () => {
    const bytes = Uint8Array.of(0xc1, 0x6d, 0xff, 0x00);
    const reply = await replyTo({ result: b64(bytes) });
    expect(reply).toBeInstanceOf(Uint8Array);
    expect(reply).toEqual(bytes);
  });

  test("a refusal of Redis stands in its place, under HTTP 400 and 200 alike", async () => {
    const error = "WRONGTYPE Operation against a key holding the wrong kind of value";
    for (const status of [400, 200]) {
      expect(await replyTo({ error }, status)).toMatchObject({ name: "CommandError", code: "WRONGTYPE" });
    }
  });

  test("what Redis repeats of the arguments is cut out", async () => {
    const reply = await replyTo({ error: "ERR unknown command 'X', with args beginning with: 'stored-value'" }, 400);
    expect(reply).toBeInstanceOf(CommandError);
    expect(String(reply)).not.toContain("stored-value");
  });
});

describe("replies to several commands", () => {
  async function send(body: unknown, { status = 200, atomic = false } = {}): Promise<Reply[]> {
    const server = await startScriptedServer((_, response) => answer(response, body, status));
    const rest = restTransport({ url: server.url, token: "secret" });
    open.push(rest.close, server.close);
    return rest.send(
      [
        ["SET", "a", "1"],
        ["INCR", "b"],
      ],
      { atomic },
    );
  }

  test("a refused command does not touch the others", async () => {
    const [first, second] = await send([{ result: "OK" }, { error: "WRONGTYPE not a number" }]);
    expect(first).toBe("OK");
    expect(second).toMatchObject({ name: "CommandError", code: "WRONGTYPE" });
  });

  test("a transaction that is discarded as a whole is refused in each place", async () => {
    const replies = await send({ error: "EXECABORT Transaction discarded" }, { status: 400, atomic: true });
    expect(replies).toMatchObject([{ code: "EXECABORT" }, { code: "EXECABORT" }]);
  });

  test.each([
    ["ERR max requests limit exceeded. Limit: 500000, Usage: 500000", "quota"],
    ["ERR max request size exceeded. Limit: 10485760 bytes, Actual: 11245919 bytes", "too-large"],
    ["WRONGPASS invalid or missing auth token", "unauthorized"],
  ])("%s in every place: nothing ran", async (error, kind) => {
    await expect(send([{ error }, { error }])).rejects.toMatchObject({ kind, delivery: "none" });
    await expect(send({ error }, { status: 400 })).rejects.toMatchObject({ kind, delivery: "none" });
  });

  test.each<[Command, "none" | "unknown"]>([
    [["LRANGE", "a", 0, -1], "none"],
    [["SET", "a", "x"], "none"],
    [["LPUSH", "a", "x"], "none"],
    [["LPOP", "a", 1_000_000], "unknown"],
    [["EVAL", "return 1", 0], "unknown"],
    [["GETDEL", "a"], "unknown"],
  ])(
    "of %s that is too large, delivery is %s: a write may have run though its reply does not come",
    async (command, delivery) => {
      const error = "ERR max request size exceeded. Limit: 10485760 bytes, Actual: 11245919 bytes";
      const server = await startScriptedServer((_, response) => answer(response, { error }, 400));
      const rest = restTransport({ url: server.url, token: "secret" });
      open.push(rest.close, server.close);
      await expect(rest.send([command])).rejects.toMatchObject({ kind: "too-large", delivery });
    },
  );

  test("a used-up quota within a pipeline: the first part ran", async () => {
    const error = "ERR max requests limit exceeded. Limit: 5, Usage: 5";
    await expect(send([{ result: "OK" }, { error }])).rejects.toMatchObject({ kind: "quota", delivery: "unknown" });
  });

  test.each<[string, unknown]>([
    ["too few replies", [{ result: "OK" }]],
    ["too many replies", [{ result: "OK" }, { result: 1 }, { result: 2 }]],
    ["a single reply", { result: "OK" }],
    ["a reply without result", [{ result: "OK" }, {}]],
    ["a reply that is none", [{ result: "OK" }, null]],
  ])("%s: no answer", async (_, body) => {
    await expect(send(body)).rejects.toMatchObject({ kind: "protocol", delivery: "unknown" });
  });
});

describe.each([
  ["with Buffer", false],
  ["without Buffer", true],
])("base64 %s", (_, withoutBuffer) => {
  const decode = (text: string) => {
    if (withoutBuffer) vi.stubGlobal("Buffer", undefined);
    try {
      return fromBase64(text);
    } finally {
      vi.unstubAllGlobals();
    }
  };

  test.each([
    ["", ""],
    [b64("a"), "a"],
    [b64("ab"), "ab"],
    [b64("abc"), "abc"],
    [b64("\ufeffé🙂"), "\ufeffé🙂"],
    [b64("\ufffd"), "\ufffd"],
    [b64(Uint8Array.of(0xff, 0xfd)), Uint8Array.of(0xff, 0xfd)],
    ["PONG!", undefined],
    ["a b=", undefined],
    ["OK", undefined],
  ])("%j", (text, expected) => {
    expect(decode(text)).toEqual(expected);
  });
});
