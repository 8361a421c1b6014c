import { type AddressInfo, createServer, type Socket } from "node:net";
import { TransportError } from "@continuum-cache/core";
import { type RestTransport, type RestTransportOptions, restTransport } from "@continuum-cache/transport-rest";
import { afterEach, describe, expect, test } from "vitest";
import { failure } from "./failure.ts";
import { httpClients } from "./http-clients.ts";
import { answer, type Handler, startScriptedServer } from "./scripted-server.ts";
import { patientMs, timedOut } from "./timed-out.ts";

const token = "canary-token-7f3a";
const value = "canary-value-91bc";
const html = (response: Parameters<Handler>[1], status: number) =>
  answer(response, `<html>${value}</html>`, status, { "content-type": "text/html" });

interface Fault {
  readonly name: string;
  readonly handler: Handler;
  readonly expected: object;
  readonly options?: Partial<RestTransportOptions>;
  /** No answer comes in time. */
  readonly isLate?: true;
}

const late = { kind: "timeout", delivery: "unknown" };

/** Answers that repeat what was sent, as bad servers do, so that the canaries could get out. */
const faults: readonly Fault[] = [
  { name: "a server that never answers", handler: () => {}, expected: late, isLate: true },
  {
    name: "an answer that comes a byte at a time",
    handler: (_, response, request) => {
      response.writeHead(200, { "content-type": "application/json" });
      const timer = setInterval(() => response.write(" "), 10);
      request.socket.on("close", () => clearInterval(timer));
    },
    expected: late,
    isLate: true,
  },
  {
    name: "HTML under 200",
    handler: (_, response) => html(response, 200),
    expected: { kind: "protocol", message: expect.stringContaining("text/html") },
  },
  {
    name: "half a JSON",
    handler: (_, response) => answer(response, `{"result":"${value}`),
    expected: { kind: "protocol" },
  },
  { name: "an empty body", handler: (_, response) => answer(response, ""), expected: { kind: "protocol" } },
  {
    name: "JSON of no known shape",
    handler: (_, response) => answer(response, { [value]: 1 }),
    expected: { kind: "protocol" },
  },
  {
    name: "an object as result",
    handler: (_, response) => answer(response, { result: { [value]: 1 } }),
    expected: { kind: "protocol" },
  },
  {
    name: "a boolean as result",
    handler: (_, response) => answer(response, { result: true }),
    expected: { kind: "protocol" },
  },
  {
    name: "text that is not encoded",
    handler: (_, response) => answer(response, { result: `${value}!` }),
    expected: { kind: "protocol" },
  },
  {
    name: "401",
    handler: (_, response) => answer(response, { error: `WRONGPASS invalid or missing auth token ${token}` }, 401),
    expected: { kind: "unauthorized", delivery: "none", message: expect.stringContaining("IP allowlist") },
  },
  {
    name: "403 of a proxy",
    handler: (_, response) => html(response, 403),
    expected: { kind: "unauthorized", delivery: "none" },
  },
  { name: "404", handler: (_, response) => html(response, 404), expected: { kind: "protocol", delivery: "none" } },
  { name: "413", handler: (_, response) => html(response, 413), expected: { kind: "too-large", delivery: "none" } },
  {
    name: "429 that says when, in seconds",
    handler: (_, response) => answer(response, {}, 429, { "retry-after": "7" }),
    expected: { kind: "quota", delivery: "none", retryAfterMs: 7_000 },
  },
  {
    name: "429 that names a date in the past",
    handler: (_, response) => answer(response, {}, 429, { "retry-after": "Fri, 01 Mar 2024 00:00:00 GMT" }),
    expected: { kind: "quota", delivery: "none", retryAfterMs: 0 },
  },
  {
    name: "429 that says nothing",
    handler: (_, response) => html(response, 429),
    expected: { kind: "quota", retryAfterMs: undefined },
  },
  {
    name: "500",
    handler: (_, response) => html(response, 500),
    expected: { kind: "unreachable", delivery: "unknown", message: expect.stringContaining("500") },
  },
  {
    name: "503 that says when",
    handler: (_, response) => answer(response, "", 503, { "retry-after": "2" }),
    expected: { kind: "unreachable", retryAfterMs: 2_000 },
  },
  {
    name: "a redirect, which is not followed",
    handler: (_, response) => answer(response, "", 307, { location: "http://127.0.0.1:9/" }),
    expected: { kind: "protocol", delivery: "none" },
  },
  {
    name: "400 without an error",
    handler: (_, response) => answer(response, { message: value }, 400),
    expected: { kind: "protocol" },
  },
  {
    name: "a reset before the answer",
    handler: (_, _response, request) => request.socket.destroy(),
    expected: { kind: "unreachable", delivery: "unknown" },
  },
  {
    name: "a reset within the answer",
    handler: (_, response, request) => {
      response.writeHead(200, { "content-length": "100" });
      response.write(`{"result":"${value}`, () => request.socket.destroy());
    },
    expected: { kind: "unreachable", delivery: "unknown" },
  },
  {
    name: "an answer over maxResponseBytes that says its length",
    handler: (_, response) => answer(response, { result: "A".repeat(2_000) }),
    options: { maxResponseBytes: 1_000 },
    expected: { kind: "too-large", delivery: "unknown" },
  },
  {
    name: "an answer over maxResponseBytes that does not",
    handler: (_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("A".repeat(600));
      response.end("A".repeat(600));
    },
    options: { maxResponseBytes: 1_000 },
    expected: { kind: "too-large", delivery: "unknown" },
  },
];

describe.each(httpClients)("faults through %s", (_, makeHttp) => {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  function connect(url: string, options: Partial<RestTransportOptions> = {}): RestTransport {
    const rest = restTransport({ url, token, http: makeHttp(), timeout: patientMs / 1_000, ...options });
    open.unshift(rest.close);
    return rest;
  }

  test.each(faults)("$name", async ({ handler, expected, options, isLate }) => {
    const server = await startScriptedServer(handler);
    open.push(server.close);
    const rest = connect(server.url, options);
    /** Of the first or the second request. */
    const outcome = (count: number, call: () => Promise<unknown>): Promise<unknown> =>
      isLate
        ? timedOut(
            () => failure(call()),
            () => expect.poll(() => server.seen.length).toBe(count),
          )
        : failure(call());
    const error = await outcome(1, () => rest.send([["SET", "key", value]]));
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ transport: "rest", ...expected });
    expectNoCanary(error);
    // Sent once: what may have run is never repeated here.
    expect(server.seen).toHaveLength(1);
    // The official client throws the same, and nothing of the request either.
    const fromClient = await outcome(2, () => rest.client.set("key", value));
    const { message: _message, ...sameKind } = expected as { message?: unknown };
    expect(fromClient).toMatchObject(sameKind);
    expectNoCanary(fromClient);
    expect(server.seen).toHaveLength(2);
  });

  test("a port that no server listens on: surely not delivered", async () => {
    const gone = await startScriptedServer(() => {});
    await gone.close();
    const error = await failure(connect(gone.url).send([["SET", "key", value]]));
    expect(error).toMatchObject({
      kind: "unreachable",
      delivery: "none",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    expectNoCanary(error);
  });

  test("a host that does not exist: surely not delivered", async () => {
    const error = await failure(connect("https://no-such-host.invalid").send([["SET", "key", value]]));
    expect(error).toMatchObject({ kind: "unreachable", delivery: "none" });
    expectNoCanary(error);
  });

  test("a server that speaks something else than HTTP", async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("data", () => socket.end(`+${value}\r\n`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const rest = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const error = await failure(rest.send([["SET", "key", value]]));
    expect(error).toMatchObject({ kind: "protocol" });
    expectNoCanary(error);
  });

  test("a signal ends the call at once and cancels its request", async () => {
    const cut = deferred();
    const server = await startScriptedServer((_seen, _response, request) =>
      request.socket.on("close", () => cut.resolve()),
    );
    open.push(server.close);
    const rest = connect(server.url);
    const controller = new AbortController();
    const call = failure(rest.send([["SET", "key", value]], { signal: controller.signal }));
    await expect.poll(() => server.seen.length).toBe(1);
    controller.abort(new Error("enough"));
    const error = await call;
    expect(error).toMatchObject({
      kind: "aborted",
      delivery: "unknown",
      cause: expect.objectContaining({ message: "enough" }),
    });
    await cut.promise;
  });

  test("a signal that has fired before: nothing is sent", async () => {
    const server = await startScriptedServer(() => {});
    open.push(server.close);
    const error = await failure(connect(server.url).send([["PING"]], { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ kind: "aborted", delivery: "none" });
    expect(server.seen).toEqual([]);
  });

  test("close ends calls in flight, refuses later ones, and may be called twice", async () => {
    const cut = deferred();
    const server = await startScriptedServer((_seen, _response, request) =>
      request.socket.on("close", () => cut.resolve()),
    );
    open.push(server.close);
    const rest = connect(server.url);
    const call = failure(rest.send([["SET", "key", value]]));
    const other = failure(rest.client.get("key"));
    await expect.poll(() => server.seen.length).toBe(2);
    await rest.close();
    await rest.close();
    expect(await call).toMatchObject({ kind: "closed", delivery: "unknown" });
    expect(await other).toMatchObject({ kind: "closed" });
    expect(await failure(rest.send([["PING"]]))).toMatchObject({ kind: "closed", delivery: "none" });
    await cut.promise;
  });

  test("one call may fail on a connection that the server closed while idle; the next call succeeds", async () => {
    let answered = 0;
    const server = await startScriptedServer((_seen, response, request) => {
      if (++answered === 2) request.socket.destroy();
      else answer(response, { result: 1 });
    });
    open.push(server.close);
    const rest = connect(server.url);
    expect(await rest.send([["INCR", "a"]])).toEqual([1]);
    expect(await failure(rest.send([["INCR", "a"]]))).toMatchObject({ kind: "unreachable", delivery: "unknown" });
    expect(await rest.send([["INCR", "a"]])).toEqual([1]);
    expect(server.seen).toHaveLength(3);
  });
});

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Neither token nor value in anything that a log would print: message, stack, causes, own properties. */
function expectNoCanary(error: unknown): void {
  for (let current = error, depth = 0; current && depth < 6; depth++) {
    const own = Object.getOwnPropertyNames(current).map((name) => String((current as Record<string, unknown>)[name]));
    expect(own.join("\n")).not.toMatch(/canary|\+Y2FuYXJ5/);
    current = (current as Error).cause;
  }
}
