import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { listen } from "../src/listen.ts";

/** Sends a request with a foreign Host header, which fetch does not allow. */
async function statusFor(port: number, host: string): Promise<number | undefined> {
  const sent = request({ port, host: "127.0.0.1", path: "/", headers: { host } });
  sent.end();
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

/** Sends these bytes. @returns all bytes until the server closed the connection. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(bytes);
  return text(socket);
}

describe("listening", () => {
  it("answers requests for this machine, and refuses a foreign host name that points at it", async () => {
    const server = await listen(() => new Response("here"), { port: 0 });
    expect(await statusFor(server.port, `127.0.0.1:${server.port}`)).toBe(200);
    expect(await statusFor(server.port, `localhost:${server.port}`)).toBe(200);
    expect(await statusFor(server.port, "evil.example")).toBe(421);
    await server.close();
  });

  it("takes a free port when its own is taken", async () => {
    const first = await listen(() => new Response("first"), { port: 0 });
    const second = await listen(() => new Response("second"), { port: first.port });
    expect(second.port).not.toBe(first.port);
    expect(await (await fetch(second.url)).text()).toBe("second");
    await Promise.all([first.close(), second.close()]);
  });

  it("answers to the names of its options, at all addresses", async () => {
    const server = await listen(() => new Response("here"), { port: 0, host: "0.0.0.0", names: ["App.example"] });
    expect(await statusFor(server.port, "app.example")).toBe(200);
    expect(await statusFor(server.port, "localhost")).toBe(200);
    expect(await statusFor(server.port, "other.example")).toBe(421);
    const again = listen(() => new Response("no"), { port: server.port, host: "0.0.0.0" });
    await expect(again).rejects.toThrow("EADDRINUSE");
    await server.close();
  });

  it("finishes an in-flight request when it closes, and accepts no other", async () => {
    let answer: (response: Response) => void = () => {};
    let arrived: () => void = () => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const server = await listen(
      () => {
        arrived();
        return new Promise<Response>((resolve) => {
          answer = resolve;
        });
      },
      { port: 0 },
    );
    const asked = fetch(server.url).then((response) => response.text());
    await arrival;
    const closed = server.close();
    await expect(fetch(server.url)).rejects.toThrow();
    answer(new Response("late"));
    expect(await asked).toBe("late");
    await closed;
  });

  it("passes the address of the visitor on: of the connection, or as the trusted proxies wrote it", async () => {
    const headers = { "x-forwarded-for": "9.9.9.9, 203.0.113.7", "x-forwarded-proto": "https" };
    for (const [trustedProxies, facts] of [
      [0, { client: "127.0.0.1", secure: false }],
      [1, { client: "203.0.113.7", secure: true }],
    ] as const) {
      const server = await listen((_, told) => Response.json(told), { port: 0, trustedProxies });
      expect(await (await fetch(server.url, { headers })).json()).toEqual(facts);
      await server.close();
    }
  });

  it.each(["GET / HTTP/1.1\r\nHost: ", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nslow"])(
    "drops a request that never arrives completely: %j",
    async (beginning) => {
      const patience = { headersMs: 50, requestMs: 100, silenceMs: 60_000 };
      const server = await listen(async (asked) => new Response(await asked.text()), { port: 0 }, undefined, patience);
      expect(await answerTo(server.port, beginning)).toMatch(/^HTTP\/1\.1 408 /);
      await server.close();
    },
  );

  it("closes a connection on which no byte arrives", async () => {
    const patience = { headersMs: 60_000, requestMs: 60_000, silenceMs: 50 };
    const server = await listen(() => new Response("here"), { port: 0 }, undefined, patience);
    expect(await answerTo(server.port, "")).toBe("");
    await server.close();
  });

  it.each([
    ["GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: localhost@evil.example\r\nConnection: close\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: evil.example/localhost\r\nConnection: close\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 421],
    ["GET //evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 200],
  ])("answers %j with %i, and shows nothing of itself", async (bytes, status) => {
    const server = await listen((asked) => new Response(new URL(asked.url).hostname), { port: 0 });
    const answer = await answerTo(server.port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status === 200) expect(answer).toContain("localhost");
    expect(answer).not.toMatch(/node_modules|\n +at /);
    await server.close();
  });
});
