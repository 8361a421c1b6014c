import { closing } from "@continuum-cache/conformance/servers";
import { type Command, TransportError } from "@continuum-cache/core";
import { type RestTransportOptions, restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { httpClients } from "./http-clients.ts";
import { answer, b64, type Handler, startScriptedServer } from "./scripted-server.ts";

const opened = closing(afterEach);

async function against(handler: Handler, options: Partial<RestTransportOptions> = {}) {
  const server = opened(await startScriptedServer(handler));
  return { server, rest: opened(restTransport({ url: server.url, token: "secret", ...options })) };
}

/** What a trip ends with when the server answers so. */
async function ending(body: unknown, commands: readonly Command[], atomic = false): Promise<unknown> {
  const { rest } = await against((_, response) => answer(response, body));
  return rest.send(commands, { atomic }).catch((error: unknown) => error);
}

const noAnswer = expect.objectContaining({ name: "TransportError", kind: "protocol", delivery: "unknown" });

describe("a reply that the command can't have", () => {
  test.each<[string, Command, unknown]>([
    ["a text for DEL", ["DEL", "a"], b64("hello")],
    ["null for INCR", ["INCR", "a"], null],
    ["a value for SET", ["SET", "a", "b"], b64("b")],
    ["a number for GET", ["GET", "a"], 1],
    ["too few values for MGET", ["MGET", "a", "b"], [b64("x")]],
    ["too many values for MGET", ["MGET", "a", "b"], [null, null, null]],
    ["numbers for MGET", ["MGET", "a", "b"], [1, 2]],
    ["a list for LLEN", ["LLEN", "a"], []],
    ["half a pair for HGETALL", ["HGETALL", "a"], [b64("f")]],
    ["a page without a list for SCAN", ["SCAN", 0], [b64("0"), b64("k")]],
  ])("is no answer: %s", async (_, command, result) => {
    expect(await ending({ result }, [command])).toEqual(noAnswer);
    expect(await ending([{ result: 1 }, { result }], [["INCR", "n"], command])).toEqual(noAnswer);
    expect(await ending([{ result: 1 }, { result }], [["INCR", "n"], command], true)).toEqual(noAnswer);
  });

  test("is no answer for the official client either", async () => {
    const { rest } = await against((_, response) => answer(response, { result: b64("hello") }));
    await expect(rest.client.del("a")).rejects.toMatchObject({ kind: "protocol" });
  });
});

describe("hostile answers", () => {
  const deep = (levels: number) => `{"result":${"[".repeat(levels)}${"]".repeat(levels)}}`;

  test("lists within lists are read a hundred levels deep, and no deeper", async () => {
    const command: Command = ["EVAL", "return {}", 0];
    expect(await ending(deep(100), [command])).toEqual([expect.any(Array)]);
    for (const levels of [101, 1_000, 1_000_000]) expect(await ending(deep(levels), [command])).toEqual(noAnswer);
  });

  test("millions of empty lists are not made into objects", async () => {
    const body = `{"result":[${"[],".repeat(6_000_000)}[]]}`;
    expect(await ending(body, [["EVAL", "return {}", 0]])).toEqual(noAnswer);
  });

  test.each([
    ["a prototype in place of the reply", '{"__proto__":{"result":1}}'],
    ["an inherited name as reply", '{"constructor":1}'],
    ["a reply within a reply", '{"result":{"result":1}}'],
    ["an error that is no text", '{"error":{"toString":1}}'],
    ["a text", '"result"'],
    ["a number", "1"],
    ["invalid UTF-8 in a text", Buffer.from('{"result":"\xff\xfe"}', "latin1")],
  ])("%s is no answer", async (_, body) => {
    const { rest } = await against((_seen, response) => response.end(body));
    await expect(rest.send([["EVAL", "return 1", 0]])).rejects.toEqual(noAnswer);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain("result");
  });

  test("an error that repeats the request shows neither the token nor a value", async () => {
    const { rest } = await against(({ body, headers }, response) =>
      answer(response, { error: `ERR weird: ${headers.authorization} ${body.toString()}` }, 400),
    );
    for (const value of ['"canary value"', `canary\n${"x".repeat(10_000)}`]) {
      const [reply] = await rest.send([["SET", "the key", value]]);
      expect(reply).toMatchObject({ name: "CommandError", code: "ERR", message: expect.stringContaining("weird") });
      expect(JSON.stringify(reply) + String(reply)).not.toMatch(/canary|secret/);
      const error = await rest.client.set("the key", value).catch((caught: Error) => caught);
      expect(String(error)).not.toMatch(/canary|secret/);
    }
  });

  test("a Retry-After that makes no sense is not believed, a long one is cut to an hour", async () => {
    let retryAfter = "";
    const { rest } = await against((_, response) => answer(response, {}, 429, { "retry-after": retryAfter }));
    const asked = async (text: string) => {
      retryAfter = text;
      const error = await rest.send([["PING"]]).catch((caught: unknown) => caught);
      return error instanceof TransportError ? error.retryAfterMs : expect.fail();
    };
    for (const none of ["999999999", "-5", "1e9", "NaN", "Infinity", "9".repeat(400), "soon", "2050", "0x10", "1, 2"]) {
      if (none === "2050") expect(await asked(none)).toBe(2_050_000);
      else expect(await asked(none), none).toBeUndefined();
    }
    for (const date of ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 99 Foo 2024 00:00:00 GMT", "2024-01-01", "-1"]) {
      expect(await asked(date), date).toBeUndefined();
    }
    expect(await asked(new Date(Date.now() + 7_200_000).toUTCString())).toBe(3_600_000);
    expect(await asked("43200")).toBe(3_600_000);
    expect(await asked("1.5")).toBe(1_500);
  });

  test.each(["x".repeat(10_000), "a\tb", "\u00ff"])(
    "a sync token that can't be sent along is not kept: %j",
    async (bad) => {
      let token = "good";
      const { server, rest } = await against((_, response) =>
        answer(response, { result: 1 }, 200, { "upstash-sync-token": token }),
      );
      await rest.send([["INCR", "a"]]);
      token = bad;
      for (let call = 0; call < 3; call++) expect(await rest.send([["INCR", "a"]])).toEqual([1]);
      expect(server.seen.map(({ headers }) => headers["upstash-sync-token"])).toEqual(["", "good", "good", "good"]);
      expect(() => {
        rest.client.readYourWritesSyncToken = bad;
      }).toThrow(TypeError);
    },
  );
});

describe.each(httpClients)("an answer in very many pieces, through %s", (_, makeHttp) => {
  test("is read", async () => {
    const text = "x".repeat(20_000);
    const { rest } = await against(
      async (_seen, response) => {
        for (const piece of JSON.stringify({ result: b64(text) })) {
          if (!response.write(piece)) await new Promise((resolve) => response.once("drain", resolve));
        }
        response.end();
      },
      { http: makeHttp(), timeout: "20s" },
    );
    expect(await rest.send([["GET", "a"]])).toEqual([text]);
  });
});
