import type { ServerResponse } from "node:http";
import type { Message, TransportError } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { createFrameReader } from "../src/subscriptions/pubsub-frame.ts";
import { httpClients } from "./http-clients.ts";
import { answer, type Handler, startScriptedServer } from "./scripted-server.ts";
import { patientMs, timedOut } from "./timed-out.ts";

const events = (response: ServerResponse, ...frames: string[]) => {
  if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" });
  for (const frame of frames) response.write(frame);
};

describe.each(httpClients)("subscriptions through %s", (_, makeHttp) => {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  async function start(handler: Handler) {
    const server = await startScriptedServer(handler);
    const rest = restTransport({ url: server.url, token: "secret", http: makeHttp(), timeout: patientMs / 1_000 });
    open.push(rest.close, server.close);
    const heard: Message[] = [];
    const interruptions: TransportError[] = [];
    const listener = {
      message: (message: Message) => void heard.push(message),
      interrupted: (error: TransportError) => void interruptions.push(error),
    };
    return { server, rest, listener, heard, interruptions };
  }

  test("names are escaped in the path, and what is no data line is skipped", async () => {
    const { server, rest, listener, heard } = await start((_seen, response) =>
      events(
        response,
        ": welcome\n\nevent: x\ndata: subscribe,a/b?c#d é,1\n\ndata: subscribe,b,",
        "2\r\n\r\n",
        "data: message,a/b?c#d é,one, two\ndata:message,b,no blank\n\ndata: message,unasked,x\n\n",
      ),
    );
    await rest.subscribe({ channels: ["a/b?c#d é", "b"] }, listener);
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toEqual([
      { channel: "a/b?c#d é", data: "one, two" },
      { channel: "b", data: "no blank" },
    ]);
    expect(server.seen[0]?.path).toBe("/subscribe/a%2Fb%3Fc%23d%20%C3%A9/b");
    expect(server.seen[0]?.headers).toMatchObject({ accept: "text/event-stream", authorization: "Bearer secret" });
  });

  test("a character that is cut between two pieces arrives whole", async () => {
    const bytes = Buffer.from("data: subscribe,c,1\n\ndata: message,c,🙂\n\n");
    const { rest, listener, heard } = await start((_seen, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(bytes.subarray(0, -5), () => response.write(bytes.subarray(-5)));
    });
    await rest.subscribe({ channels: ["c"] }, listener);
    await expect.poll(() => heard).toEqual([{ channel: "c", data: "🙂" }]);
  });

  test("it resolves only when each name is confirmed", async () => {
    const sent: unknown[] = [];
    const { rest, listener } = await start((_seen, response) => {
      events(response, "data: subscribe,a,1\n\n");
      response.write(":\n\n", () => sent.push("both"));
    });
    const error = await timedOut(
      () => rest.subscribe({ channels: ["a", "b"] }, listener).catch((caught: unknown) => caught),
      () => expect.poll(() => sent.length).toBe(1),
    );
    expect(error).toMatchObject({ kind: "timeout" });
  });

  test.each<[string, Handler, object]>([
    [
      "the token is refused",
      (_seen, response) => answer(response, { error: "WRONGPASS" }, 401),
      { kind: "unauthorized" },
    ],
    ["the answer is no stream", (_seen, response) => answer(response, { result: 1 }), { kind: "protocol" }],
    [
      "the stream ends before the confirmation",
      (_seen, response) => {
        events(response, ":\n\n");
        response.end();
      },
      { kind: "unreachable" },
    ],
    ["the connection breaks", (_seen, _response, request) => request.socket.destroy(), { kind: "unreachable" }],
  ])("when %s it rejects, and the listener is not told of an interruption", async (_name, handler, expected) => {
    const { rest, listener, interruptions } = await start(handler);
    await expect(rest.subscribe({ channels: ["a"] }, listener)).rejects.toMatchObject(expected);
    expect(interruptions).toEqual([]);
  });

  test("when the server never answers it rejects, and no listener is told of an interruption", async () => {
    const { server, rest, listener, interruptions } = await start(() => {});
    const error = await timedOut(
      () => rest.subscribe({ channels: ["a"] }, listener).catch((caught: unknown) => caught),
      () => expect.poll(() => server.seen.length).toBe(1),
    );
    expect(error).toMatchObject({ kind: "timeout" });
    expect(interruptions).toEqual([]);
  });

  test("one of two streams that breaks interrupts the subscription once, and ends the other", async () => {
    const responses: ServerResponse[] = [];
    const { rest, listener, interruptions } = await start(({ path }, response) => {
      responses.push(response);
      events(response, `data: ${path.startsWith("/p") ? "psubscribe,p*" : "subscribe,c"},1\n\n`);
    });
    await rest.subscribe({ channels: ["c"], patterns: ["p*"] }, listener);
    const ended = responses.map((response) => new Promise((resolve) => response.on("close", resolve)));
    responses[0]?.destroy();
    await expect.poll(() => interruptions.length).toBe(1);
    await Promise.all(ended);
    expect(interruptions).toMatchObject([{ kind: "unreachable" }]);
  });

  test("many subscriptions at once are no leak, and warn of none", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const { rest, listener } = await start((_seen, response) => events(response, "data: subscribe,c,1\n\n"));
    const subscriptions = await Promise.all(
      Array.from({ length: 30 }, () => rest.subscribe({ channels: ["c"] }, listener)),
    );
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  test("a server that ends the stream in order interrupts, too", async () => {
    const responses: ServerResponse[] = [];
    const { rest, listener, interruptions } = await start((_seen, response) => {
      responses.push(response);
      events(response, "data: subscribe,c,1\n\n");
    });
    await rest.subscribe({ channels: ["c"] }, listener);
    for (const response of responses) response.end();
    await expect.poll(() => interruptions).toMatchObject([{ kind: "unreachable" }]);
  });

  test("closing the transport interrupts with kind closed, and ends the stream", async () => {
    const closed: Promise<unknown>[] = [];
    const { rest, listener, interruptions } = await start((_seen, response) => {
      closed.push(new Promise((resolve) => response.on("close", resolve)));
      events(response, "data: subscribe,c,1\n\n");
    });
    await rest.subscribe({ channels: ["c"] }, listener);
    await rest.close();
    await Promise.all(closed);
    expect(interruptions).toMatchObject([{ kind: "closed" }]);
  });

  test("half a line at the end of a stream is dropped, whether the stream ends or breaks", async () => {
    for (const end of ["end", "destroy"] as const) {
      const { rest, listener, heard, interruptions } = await start((_seen, response) => {
        events(response, "data: subscribe,c,1\n\n", "data: message,c,whole\n\n");
        response.write("data: message,c,ha", () => response[end]());
      });
      await rest.subscribe({ channels: ["c"] }, listener);
      await expect.poll(() => interruptions).toMatchObject([{ kind: "unreachable" }]);
      expect(heard).toEqual([{ channel: "c", data: "whole" }]);
    }
  });

  test("is read the same byte by byte, with a byte order mark, CRLF, comments and heartbeats", async () => {
    const text =
      "\ufeff: welcome\r\n\r\ndata: subscribe,c,1\r\n\r\n: heartbeat\n\n" +
      "id: 1\ndata: message,c,\ufeffzwölf 🙂\r\n\r\n:\ndata: message,c,\n\n";
    const { rest, listener, heard } = await start(async (_seen, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const byte of Buffer.from(text)) {
        await new Promise((resolve) => response.write(Buffer.from([byte]), resolve));
      }
    });
    await rest.subscribe({ channels: ["c"] }, listener);
    await expect.poll(() => heard.length).toBe(2);
    expect(heard).toEqual([
      { channel: "c", data: "\ufeffzwölf 🙂" },
      { channel: "c", data: "" },
    ]);
  });

  test("a message of 8 MB arrives whole", async () => {
    const data = "0123456789abcdeü".repeat(1 << 19);
    const { rest, listener, heard } = await start((_seen, response) => {
      events(response, "data: subscribe,c,1\n\n");
      const bytes = Buffer.from(`data: message,c,${data}\n\n`);
      for (let at = 0; at < bytes.length; at += 16_384) response.write(bytes.subarray(at, at + 16_384));
    });
    await rest.subscribe({ channels: ["c"] }, listener);
    await expect.poll(() => heard.length, { timeout: 60_000 }).toBe(1);
    expect(heard[0]?.data === data).toBe(true);
  });

  test("a name is asked for once, however often it is given, and never as an addition", async () => {
    const { server, rest, listener } = await start((_seen, response) => events(response, "data: subscribe,c,1\n\n"));
    const subscription = await rest.subscribe({ channels: ["c", "c"] }, listener);
    expect(server.seen[0]?.path).toBe("/subscribe/c");
    expect(Object.keys(subscription)).toEqual(["close"]);
  });

  test("refuses names that are too long for one address, except a single one of the longest length", async () => {
    const longest = "🔑".repeat(1_024);
    const { server, rest, listener } = await start((_seen, response) =>
      events(response, `data: subscribe,${longest},1\n\n`),
    );
    const channels = Array.from({ length: 200 }, (_, index) => `${"x".repeat(96)}${index}`);
    await expect(rest.subscribe({ channels }, listener)).rejects.toMatchObject({
      kind: "too-large",
      delivery: "none",
      message: expect.stringContaining("200 topic(s)"),
    });
    expect(server.seen).toEqual([]);
    await rest.subscribe({ channels: [longest] }, listener);
    expect(server.seen[0]?.path).toHaveLength("/subscribe/".length + 1_024 * 12);
    expect(rest.maxTopicBytes).toBe(7_500);
  });

  test.each<[number, string, object]>([
    [
      400,
      "NOPERM this user has no permissions to access one of the channels used as arguments",
      { kind: "unauthorized" },
    ],
    [400, "ERR a channel can't be named so", { kind: "protocol" }],
    [400, "ERR max daily request limit exceeded. Limit: 1, Usage: 2", { kind: "quota" }],
    [414, "URI too long", { kind: "too-large" }],
    [431, "headers too long", { kind: "too-large" }],
  ])("a refusal by HTTP %i, %j, surely delivered nothing", async (status, error, expected) => {
    const { rest, listener } = await start((_seen, response) => answer(response, { error }, status));
    const call = rest.subscribe({ channels: ["a"] }, listener);
    await expect(call).rejects.toMatchObject({ ...expected, delivery: "none" });
  });

  test.each([[""], ["."], [".."], ["a\nb"]])("a channel named %j is refused before anything is sent", async (name) => {
    const { server, rest, listener } = await start(() => {});
    const refusal = { kind: "protocol", delivery: "none" };
    await expect(rest.subscribe({ channels: [name] }, listener)).rejects.toMatchObject(refusal);
    expect(server.seen).toEqual([]);
  });
});

describe("frames", () => {
  test.each<[string, "subscribe" | "psubscribe", string[], unknown]>([
    ["subscribe,a,1", "subscribe", ["a"], { confirms: "a" }],
    ["subscribe,a,b,1", "subscribe", ["a", "a,b"], { confirms: "a,b" }],
    ["message,a,b,c", "subscribe", ["a", "a,b"], { channel: "a,b", data: "c" }],
    ["message,a,", "subscribe", ["a"], { channel: "a", data: "" }],
    [
      'pmessage,u:*,u:1,{"a":1,"b":2}',
      "psubscribe",
      ["u:*"],
      { pattern: "u:*", channel: "u:1", data: '{"a":1,"b":2}' },
    ],
    ["psubscribe,u:*,1", "psubscribe", ["u:*"], { confirms: "u:*" }],
    ["message,other,x", "subscribe", ["a"], undefined],
    ["pong", "subscribe", ["a"], undefined],
    ["pmessage,u:*,u:1", "psubscribe", ["u:*"], undefined],
  ])("%s", (frame, verb, names, expected) => {
    expect(createFrameReader(verb, names)(frame)).toEqual(expected);
  });
});
