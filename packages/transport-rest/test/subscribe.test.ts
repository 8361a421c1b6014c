import type { ServerResponse } from "node:http";
import type { Message, TransportError } from "@continuum-cache/core";
import { restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { readFrame } from "../src/pubsub-frame.ts";
import { httpClients } from "./http-clients.ts";
import { answer, type Handler, startScriptedServer } from "./scripted-server.ts";

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
    const rest = restTransport({ url: server.url, token: "secret", http: makeHttp(), timeout: "2s" });
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
    const { rest, listener } = await start((_seen, response) => events(response, "data: subscribe,a,1\n\n"));
    const call = rest.subscribe({ channels: ["a", "b"] }, listener, { timeoutMs: 100 });
    await expect(call).rejects.toMatchObject({ kind: "timeout" });
  });

  test.each<[string, Handler, object]>([
    ["the server never answers", () => {}, { kind: "timeout" }],
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
  ])("when %s it rejects, and nobody is told of an interruption", async (_name, handler, expected) => {
    const { rest, listener, interruptions } = await start(handler);
    await expect(rest.subscribe({ channels: ["a"] }, listener, { timeoutMs: 200 })).rejects.toMatchObject(expected);
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
    expect(readFrame(frame, verb, names)).toEqual(expected);
  });
});
