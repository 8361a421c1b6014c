import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { httpClients } from "./http-clients.ts";
import { answer, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";

describe.each(httpClients)("tokens through %s", (_, makeHttp) => {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  /** A server that knows one token. */
  async function start(known: () => string): Promise<ScriptedServer> {
    const server = await startScriptedServer(({ headers }, response) =>
      headers.authorization === `Bearer ${known()}`
        ? answer(response, { result: 1 })
        : answer(response, { error: "WRONGPASS invalid or missing auth token" }, 401),
    );
    open.push(server.close);
    return server;
  }

  const connect = (server: ScriptedServer, token: string | (() => string | Promise<string>)) => {
    const rest = restTransport({ url: server.url, token, http: makeHttp() });
    open.unshift(rest.close);
    return rest;
  };

  test("a function is asked for the token before each request", async () => {
    let current = "one";
    const server = await start(() => current);
    const rest = connect(server, async () => current);
    await rest.send([["INCR", "a"]]);
    current = "two";
    expect(await rest.send([["INCR", "a"]])).toEqual([1]);
    expect(server.seen).toHaveLength(2);
  });

  test("a token that was rotated meanwhile costs no call: the request is sent once more with the new one", async () => {
    const server = await start(() => "new");
    const tokens = ["old", "new"];
    const rest = connect(server, () => tokens.shift() ?? "new");
    expect(await rest.send([["RPUSH", "k", Uint8Array.of(0xff)]])).toEqual([1]);
    expect(server.seen.map(({ headers, body }) => [headers.authorization, body[0]])).toEqual([
      ["Bearer old", 0xff],
      ["Bearer new", 0xff],
    ]);
  });

  test("the official client takes part in the rotation", async () => {
    const server = await start(() => "new");
    const tokens = ["old", "new"];
    expect(await connect(server, () => tokens.shift() ?? "new").client.incr("a")).toBe(1);
  });

  test("a refused token that did not change is not sent again", async () => {
    const server = await start(() => "other");
    await expect(connect(server, () => "same").send([["PING"]])).rejects.toMatchObject({ kind: "unauthorized" });
    await expect(connect(server, "same").send([["PING"]])).rejects.toMatchObject({ kind: "unauthorized" });
    expect(server.seen).toHaveLength(2);
  });

  test("a function that fails, or returns no token, is told as unauthorized, and nothing is sent", async () => {
    const server = await start(() => "x");
    const refusal = { kind: "unauthorized", delivery: "none" };
    const fails = connect(server, () => Promise.reject(new Error("vault is away")));
    await expect(fails.send([["PING"]])).rejects.toMatchObject({ ...refusal, cause: { message: "vault is away" } });
    await expect(connect(server, () => "").send([["PING"]])).rejects.toMatchObject(refusal);
    const error = await connect(server, () => "canary\n")
      .send([["PING"]])
      .catch((caught) => caught);
    expect(error).toMatchObject(refusal);
    expect(String(error)).not.toContain("canary");
    expect(server.seen).toEqual([]);
  });

  test("a function that never answers does not outlast the deadline", async () => {
    const server = await start(() => "x");
    const rest = connect(server, () => new Promise(() => {}));
    const call = rest.send([["PING"]], { timeoutMs: 50 });
    await expect(call).rejects.toMatchObject({ kind: "timeout", delivery: "none" });
  });
});
