import type { Command } from "@continuum-cache/core";
import { seal, toTextForm } from "@continuum-cache/core/kit";
import { type RestTransport, type RestTransportOptions, restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { httpClients } from "./http-clients.ts";
import { answer, echo, type Handler, type ScriptedServer, startScriptedServer } from "./scripted-server.ts";
import { patientMs, timedOut } from "./timed-out.ts";

const raw = Uint8Array.of(0xff, 0x00, 0xfe);
const sealed = seal("m", Uint8Array.of(0x81, 0xa1));

describe.each(httpClients)("what is sent through %s", (_, makeHttp) => {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  async function start(
    handler: Handler = echo,
    options: Partial<RestTransportOptions> = {},
  ): Promise<{ server: ScriptedServer; rest: RestTransport }> {
    const server = await startScriptedServer(handler);
    const rest = restTransport({
      url: server.url,
      token: "secret",
      http: makeHttp(),
      timeout: patientMs / 1_000,
      ...options,
    });
    open.push(rest.close, server.close);
    return { server, rest };
  }

  test("one command is one POST of its JSON to /, with numbers as their text", async () => {
    const { server, rest } = await start();
    await rest.send([["SET", "greeting", "héllo", "EX", 60]]);
    expect(server.seen).toHaveLength(1);
    const [{ path, json, headers } = expect.fail()] = server.seen;
    expect({ path, json }).toEqual({ path: "/", json: ["SET", "greeting", "héllo", "EX", "60"] });
    expect(headers).toMatchObject({
      authorization: "Bearer secret",
      "content-type": "application/json",
      "upstash-encoding": "base64",
    });
  });

  test("several commands are one POST to /pipeline, atomic ones to /multi-exec", async () => {
    const { server, rest } = await start();
    const commands: Command[] = [
      ["GET", "a"],
      ["GET", "b"],
    ];
    expect(await rest.send(commands)).toEqual(["a", "b"]);
    expect(await rest.send(commands, { atomic: true })).toEqual(["a", "b"]);
    await rest.send([["GET", "a"]], { atomic: true });
    expect(server.seen.map(({ path }) => path)).toEqual(["/pipeline", "/multi-exec", "/multi-exec"]);
    expect(server.seen[0]?.json).toEqual(commands);
  });

  test("an empty list sends nothing", async () => {
    const { server, rest } = await start();
    expect(await rest.send([])).toEqual([]);
    expect(server.seen).toEqual([]);
  });

  test("connections are kept alive between calls", async () => {
    const { server, rest } = await start();
    for (let i = 0; i < 5; i++) await rest.send([["GET", "a"]]);
    // undici opens a spare one.
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  test("a server that closes each connection after its answer is no trouble", async () => {
    const { rest } = await start(({ json }, response) =>
      answer(response, { result: (json as string[]).length }, 200, { connection: "close" }),
    );
    for (let i = 0; i < 5; i++) expect(await rest.send([["STRLEN", "a"]])).toEqual([2]);
  });

  test("bytes travel as the body, the arguments before them as the path, those after as the query", async () => {
    const { server, rest } = await start();
    await rest.send([["SET", "a/b?c#d é%", raw, "EX", 60, "NX"]]);
    await rest.send([["SET", "k", raw, "NX", "PX", 100]]);
    await rest.send([["SET", "k", sealed]]);
    expect(server.seen.map(({ path }) => path)).toEqual([
      "/SET/a%2Fb%3Fc%23d%20%C3%A9%25?EX=60&NX",
      "/SET/k?NX&PX=100",
      "/SET/k",
    ]);
    expect(server.seen.map(({ body }) => Uint8Array.from(body))).toEqual([raw, raw, sealed]);
    expect(server.seen[0]?.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "upstash-encoding": "base64",
    });
  });

  test("bytes that are valid UTF-8 travel as text", async () => {
    const { server, rest } = await start();
    await rest.send([["SET", "k", new TextEncoder().encode("\ufeffhéllo")]], { atomic: true });
    expect(server.seen[0]?.json).toEqual([["SET", "k", "\ufeffhéllo"]]);
  });

  test("a sealed value travels in its text form where a raw body is impossible, as in a transaction", async () => {
    const { server, rest } = await start();
    const text = toTextForm(sealed);
    await rest.send([
      ["SET", "a", sealed],
      ["GET", "a"],
    ]);
    await rest.send([["SET", "a", sealed]], { atomic: true });
    await rest.send([["MSET", "a", sealed, "b", sealed]]);
    await rest.send([["SET", "", sealed]]);
    await rest.send([["SET", "..", sealed]]);
    await rest.send([["SET", "k".repeat(9_000), sealed]]);
    await rest.send([["HSET", "h", "f", sealed, "a b", "c"]]);
    expect(server.seen.map(({ json }) => json)).toEqual([
      [
        ["SET", "a", text],
        ["GET", "a"],
      ],
      [["SET", "a", text]],
      ["MSET", "a", text, "b", text],
      ["SET", "", text],
      ["SET", "..", text],
      ["SET", "k".repeat(9_000), text],
      ["HSET", "h", "f", text, "a b", "c"],
    ]);
  });

  test("bytes that are not sealed make a pipeline travel in parts, in order", async () => {
    const { server, rest } = await start(({ path, json }, response) =>
      answer(response, path === "/pipeline" ? (json as unknown[]).map(() => ({ result: 1 })) : { result: "OK" }),
    );
    const replies = await rest.send([
      ["DEL", "a"],
      ["DEL", "b"],
      ["SET", "a", raw],
      ["SET", "b", raw],
      ["STRLEN", "a"],
    ]);
    expect(replies).toEqual([1, 1, "OK", "OK", 1]);
    expect(server.seen.map(({ path }) => path)).toEqual(["/pipeline", "/SET/a", "/SET/b", "/pipeline"]);
  });

  test("a binary key is the key itself, never its text form", async () => {
    const { server, rest } = await start();
    await rest.send([["GET", sealed]]);
    await rest.send([["SET", sealed, "v1"]]);
    expect(server.seen.map(({ path, body }) => [path, Uint8Array.from(body)])).toEqual([
      ["/GET", sealed],
      ["/SET?v1", sealed],
    ]);
    await expect(rest.send([["GET", sealed]], { atomic: true })).rejects.toMatchObject({ kind: "protocol" });
  });

  test.each<[string, Command[], boolean]>([
    ["raw bytes in an atomic trip", [["SET", "k", raw]], true],
    ["two of them in one command", [["MSET", "a", raw, "b", raw]], false],
    ["one behind an empty key", [["SET", "", raw]], false],
    ["one behind a key that a path would lose", [["SET", "..", raw]], false],
    ["one before words that a query can't carry", [["HSET", "h", "f", raw, "g", "a&b"]], false],
    [
      "one in the middle of a pipeline",
      [
        ["GET", "a"],
        ["MSET", "a", raw, "b", raw],
        ["GET", "b"],
      ],
      false,
    ],
  ])("what can't be carried is refused before anything is sent: %s", async (_name, commands, atomic) => {
    const { server, rest } = await start();
    await expect(rest.send(commands, { atomic })).rejects.toMatchObject({
      name: "TransportError",
      kind: "protocol",
      delivery: "none",
      message: expect.stringContaining("msgpack"),
    });
    expect(server.seen).toEqual([]);
  });

  test("a pipeline of more than 1,000 commands travels in parts, an atomic one whole", async () => {
    const { server, rest } = await start();
    const commands = Array.from({ length: 2_500 }, (_, i): Command => ["GET", `k${i}`]);
    expect(await rest.send(commands)).toEqual(commands.map(([, key]) => key));
    expect(server.seen.map(({ json }) => (json as unknown[]).length)).toEqual([1_000, 1_000, 500]);
    await rest.send(commands, { atomic: true });
    expect(server.seen.map(({ path }) => path)).toEqual(["/pipeline", "/pipeline", "/pipeline", "/multi-exec"]);
  });

  test("a pipeline over maxRequestBytes travels in parts, counted in bytes", async () => {
    const { server, rest } = await start(echo, { maxRequestBytes: 100 });
    const commands = Array.from({ length: 6 }, (_, i): Command => ["ECHO", `${i}${"é".repeat(15)}`]);
    expect(await rest.send(commands)).toEqual(commands.map(([, text]) => text));
    expect(server.seen.length).toBeGreaterThan(1);
    expect(Math.max(...server.seen.map(({ body }) => body.length))).toBeLessThanOrEqual(100);
  });

  test("a pipeline counts what escaping adds, and a command that is too large by itself travels alone", async () => {
    const { server, rest } = await start(echo, { maxRequestBytes: 300 });
    const texts = [..."abcdefgh"].map((letter) => letter + "\u0001".repeat(letter === "d" ? 90 : 15));
    expect(await rest.send(texts.map((text): Command => ["ECHO", text]))).toEqual(texts);
    const sizes = server.seen.map(({ body, json }) => [(json as unknown[]).length, body.length] as const);
    expect(sizes.filter(([, bytes]) => bytes > 300)).toEqual([[1, expect.any(Number)]]);
    expect(sizes.length).toBeLessThan(texts.length);
  });

  test("an atomic trip over maxRequestBytes is refused before anything is sent", async () => {
    const { server, rest } = await start(echo, { maxRequestBytes: 100 });
    const commands = Array.from({ length: 6 }, (): Command => ["ECHO", "x".repeat(30)]);
    const refusal = { kind: "too-large", delivery: "none" };
    await expect(rest.send(commands, { atomic: true })).rejects.toMatchObject(refusal);
    await expect(rest.send([["ECHO", "x".repeat(200)]], { atomic: true })).rejects.toMatchObject(refusal);
    expect(server.seen).toEqual([]);
  });

  test("when a later part fails, delivery is unknown, since earlier parts have run", async () => {
    const { rest } = await start(({ json, path }, response) =>
      path === "/SET/b"
        ? answer(response, {}, 429)
        : answer(
            response,
            (json as unknown[]).map(() => ({ result: 1 })),
          ),
    );
    const trip = rest.send([
      ["INCR", "a"],
      ["SET", "b", raw],
    ]);
    await expect(trip).rejects.toMatchObject({ kind: "quota", delivery: "unknown" });
  });

  test("half a surrogate pair is written as a replacement character, in a path as in JSON", async () => {
    const { server, rest } = await start();
    await rest.send([["SET", "k\ud800", raw]]);
    expect(server.seen[0]?.path).toBe("/SET/k%EF%BF%BD");
  });

  test("trips on the same key wait for each other, others do not", async () => {
    const held: (() => void)[] = [];
    const { server, rest } = await start(({ json }, response) => {
      const reply = () => answer(response, { result: (json as string[])[0] === "SET" ? "OK" : null });
      if ((json as string[])[2] === "first") held.push(reply);
      else reply();
    });
    const done: string[] = [];
    const first = rest.send([["SET", "k", "first"]]).then(() => done.push("first"));
    const second = rest.send([["GET", "k"]]).then(() => done.push("second"));
    await rest.send([["GET", "other"]]).then(() => done.push("other"));
    expect(server.seen.map(({ json }) => json)).toEqual([
      ["SET", "k", "first"],
      ["GET", "other"],
    ]);
    for (const release of held) release();
    await Promise.all([first, second]);
    expect(done).toEqual(["other", "first", "second"]);
  });

  test("a trip that timed out waiting for its turn was not delivered, and never is", async () => {
    const { server, rest } = await start(() => {});
    const send = (value: string, timeoutMs: number): Promise<unknown> =>
      rest.send([["SET", "k", value]], { timeoutMs }).catch((error: unknown) => error);
    const [first, second] = await timedOut(
      () => Promise.all([send("1", patientMs), send("2", patientMs / 2)]),
      () => expect.poll(() => server.seen.length).toBe(1),
    );
    expect(second).toMatchObject({ kind: "timeout", delivery: "none" });
    expect(first).toMatchObject({ kind: "timeout", delivery: "unknown" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.seen.map(({ json }) => json)).toEqual([["SET", "k", "1"]]);
  });

  test("an address with a path keeps it", async () => {
    const { server } = await start();
    const rest = restTransport({ url: `${server.url}/redis/`, token: "secret", http: makeHttp() });
    open.push(rest.close);
    await rest.send([["SET", "k", raw]]);
    expect(server.seen[0]?.path).toBe("/redis/SET/k");
  });
});
