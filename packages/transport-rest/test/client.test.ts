import { restTransport } from "@continuum-cache/transport-rest";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { Redis } from "@upstash/redis";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { httpClients } from "./http-clients.ts";
import { answer, b64, type Handler, startScriptedServer } from "./scripted-server.ts";
import { patientMs, timedOut } from "./timed-out.ts";

describe.each(httpClients)("the official client through %s", (_, makeHttp) => {
  let server: UpstashLocal;
  beforeAll(async () => {
    server = await startUpstashLocal({ port: 0 });
  });
  afterAll(() => server.close());
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  const connect = ({ url, token }: { url: string; token: string } = server) => {
    const rest = restTransport({ url, token, http: makeHttp(), timeout: patientMs / 1_000 });
    open.unshift(rest.close);
    return rest;
  };
  const scripted = async (handler: Handler) => {
    const started = await startScriptedServer(handler);
    open.push(started.close);
    return { client: connect({ url: started.url, token: "secret" }).client, seen: started.seen };
  };

  test("is the official client, one and the same, and reads what the transport wrote", async () => {
    const rest = connect();
    expect(rest.client).toBeInstanceOf(Redis);
    expect(rest.client).toBe(rest.client);
    await rest.send([["SET", "official", '{"a":[1,"ü"]}']]);
    expect(await rest.client.get("official")).toEqual({ a: [1, "ü"] });
    await rest.client.set("official", { b: 2 }, { ex: 60 });
    expect(await rest.send([["GET", "official"]])).toEqual(['{"b":2}']);
  });

  test('the client reads "123" as a number; the transport never does', async () => {
    const rest = connect();
    await rest.send([["SET", "digits", "123"]]);
    expect(await rest.client.get("digits")).toBe(123);
    expect(await rest.send([["GET", "digits"]])).toEqual(["123"]);
  });

  test("a missing hash is null, and a missing key too", async () => {
    const { client } = connect();
    expect(await client.hgetall("missing")).toBeNull();
    expect(await client.get("missing")).toBeNull();
  });

  test("lists, scans, pipelines, transactions and scripts work", async () => {
    const { client } = connect();
    await client.del("list", "count");
    expect(await client.rpush<unknown>("list", "OK", { a: 1 })).toBe(2);
    expect(await client.lrange("list", 0, -1)).toEqual(["OK", { a: 1 }]);
    expect((await client.scan(0, { match: "list" }))[1]).toEqual(["list"]);
    expect(await client.pipeline().incr("count").incr("count").ping().exec()).toEqual([1, 2, "PONG"]);
    expect(await client.multi().incr("count").get("count").exec()).toEqual([3, 3]);
  });

  test("a refusal is a CommandError that repeats no value", async () => {
    const { client } = connect();
    await client.set("text", "x");
    const error = await client.lpush("text", "canary").catch((caught) => caught);
    expect(error).toMatchObject({ name: "CommandError", code: "WRONGTYPE" });
    expect(`${error.message}${error.stack}`).not.toContain("canary");
  });

  test("in a pipeline the client keeps or throws it, as asked", async () => {
    const { client } = connect();
    await client.set("text", "x");
    const kept = await client.pipeline().lpush("text", "canary").get("text").exec({ keepErrors: true });
    expect(kept).toMatchObject([{ error: expect.stringContaining("WRONGTYPE") }, { result: "x" }]);
    const error = await client
      .pipeline()
      .lpush("text", "canary")
      .exec()
      .catch((caught) => caught);
    expect(error.message).toContain("WRONGTYPE");
    expect(error.message).not.toContain("canary");
  });

  test("a request whose connection breaks is sent once, whatever the client would retry", async () => {
    const { client, seen } = await scripted((_seen, _response, request) => request.socket.destroy());
    await expect(client.incr("a")).rejects.toMatchObject({ kind: "unreachable" });
    expect(seen).toHaveLength(1);
  });

  test("a request whose deadline passes rejects; it does not resolve to a fake answer", async () => {
    const { client, seen } = await scripted(() => {});
    const late = (count: number, call: () => Promise<unknown>): Promise<unknown> =>
      timedOut(
        () => call().catch((error: unknown) => error),
        () => expect.poll(() => seen.length).toBe(count),
      );
    expect(await late(1, () => client.get("a"))).toMatchObject({ kind: "timeout" });
    expect(await late(2, () => client.pipeline().get("a").exec())).toMatchObject({ kind: "timeout" });
  });

  test("values that are no UTF-8 read as text with replacement characters, as the client does it itself", async () => {
    const { client } = await scripted((_, response) => answer(response, { result: b64(Uint8Array.of(0x61, 0xff)) }));
    expect(await client.get("a")).toBe("a\ufffd");
  });

  test("subscribe escapes channel names, and hears", async () => {
    const rest = connect();
    const heard: unknown[] = [];
    const subscriber = rest.client.subscribe<string>("a/b?c#d e");
    await new Promise<void>((resolve, reject) => {
      subscriber.on("subscribe", () => resolve());
      subscriber.on("error", reject);
    });
    subscriber.on("message", ({ channel, message }) => heard.push([channel, message]));
    await rest.send([["PUBLISH", "a/b?c#d e", '{"n":1}']]);
    await expect.poll(() => heard).toEqual([["a/b?c#d e", { n: 1 }]]);
    await subscriber.unsubscribe();
    await expect.poll(async () => (await rest.send([["PUBLISH", "a/b?c#d e", "x"]]))[0]).toBe(0);
  });

  test("a subscription of the client ends with the transport", async () => {
    const rest = connect();
    const subscriber = rest.client.psubscribe("closing:*");
    await new Promise<void>((resolve) => subscriber.on("psubscribe", () => resolve()));
    await rest.close();
    const other = connect();
    await expect.poll(async () => (await other.send([["PUBLISH", "closing:1", "x"]]))[0]).toBe(0);
  });
});
