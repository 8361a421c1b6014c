import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openStream } from "./event-stream.ts";
import { post, send } from "./raw-http.ts";

let server: UpstashLocal;
beforeEach(async () => {
  server = await startUpstashLocal({ port: 0, token: "local" });
});
afterEach(async () => {
  server.fault(undefined);
  expect((await post(server.url, "/", ["PING"])).json).toEqual({ result: "PONG" });
  await server.close();
});
const count = async () => (await send(server.url, "/get/n")).json;

it("refuse drops open connections and new ones", async () => {
  const stream = await openStream(server.url, "/subscribe/c");
  await stream.first(1);
  server.fault("refuse");
  await stream.ended;
  await expect(send(server.url, "/ping")).rejects.toThrow(/ECONNRESET|socket hang up/);
});

it("hang never answers, and drops the connections when it ends", async () => {
  server.fault("hang");
  const asked = send(server.url, "/incr/n");
  const settled = asked.then(
    () => "answered",
    () => "dropped",
  );
  expect(await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 100, "waiting"))])).toBe("waiting");
  server.fault(undefined);
  expect(await settled).toBe("dropped");
  expect(await count()).toEqual({ result: null });
});

it("pause holds requests back, and resume answers them", async () => {
  server.pause();
  const asked = [send(server.url, "/incr/n"), send(server.url, "/incr/n")];
  expect(await Promise.race([...asked, new Promise((resolve) => setTimeout(resolve, 100, "waiting"))])).toBe("waiting");
  server.resume();
  expect((await Promise.all(asked)).map(({ json }) => json).toSorted()).toEqual(
    expect.arrayContaining([{ result: 1 }, { result: 2 }]),
  );
});

it("unauthorized, quota, error-500 and html answer without running a command", async () => {
  server.fault("unauthorized");
  const unauthorized = await send(server.url, "/incr/n");
  expect([unauthorized.status, unauthorized.json]).toEqual([401, { error: expect.stringMatching(/^WRONGPASS/) }]);
  server.fault("quota");
  const quota = await send(server.url, "/incr/n");
  expect([quota.status, quota.headers["retry-after"], quota.json]).toEqual([
    429,
    "1",
    { error: "ERR too many requests" },
  ]);
  server.fault("error-500");
  const broken = await send(server.url, "/incr/n");
  expect([broken.status, broken.json]).toEqual([500, { error: "ERR internal error" }]);
  server.fault("html");
  const page = await post(server.url, "/pipeline", [["INCR", "n"]]);
  expect([page.status, page.headers["content-type"]]).toEqual([502, "text/html"]);
  expect(page.body.toString()).toMatch(/^<html>/);
  server.fault(undefined);
  expect(await count()).toEqual({ result: null });
});

it("daily-limit and monthly-limit refuse in the service's words, login-page answers 200 with a page", async () => {
  server.fault("daily-limit");
  const daily = await send(server.url, "/incr/n");
  expect([daily.status, daily.json]).toEqual([
    400,
    { error: expect.stringMatching(/^ERR max daily request limit exceeded\. Limit: 10000, Usage: 10001\./) },
  ]);
  server.fault("monthly-limit");
  const monthly = await post(server.url, "/multi-exec", [["INCR", "n"]]);
  expect([monthly.status, monthly.json]).toEqual([
    400,
    { error: expect.stringMatching(/^ERR max requests limit exceeded\. Limit: 500000, Usage: 500000\./) },
  ]);
  server.fault("login-page");
  const page = await post(server.url, "/pipeline", [["INCR", "n"]]);
  expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html"]);
  server.fault(undefined);
  expect(await count()).toEqual({ result: null });
});

it("truncate runs commands and cuts their answer", async () => {
  server.fault("truncate");
  const answer = await post(server.url, "/pipeline", [["INCR", "n"], ["PING"]]);
  expect([answer.status, answer.json]).toEqual([200, undefined]);
  expect(answer.body.toString()).toBe('[{"result":1},{"');
  server.fault(undefined);
  expect(await count()).toEqual({ result: "1" });
});

it("lost-reply runs commands and drops the connection", async () => {
  server.fault("lost-reply");
  await expect(send(server.url, "/incr/n")).rejects.toThrow(/socket hang up|ECONNRESET/);
  server.fault(undefined);
  expect(await count()).toEqual({ result: "1" });
});

it("slow answers later, and drops requests whose clients do not wait", async () => {
  server.fault({ slowMs: 50 });
  expect((await send(server.url, "/incr/n")).json).toEqual({ result: 1 });
  server.fault({ slowMs: 600_000 });
  await expect(fetch(`${server.url}/incr/n?_token=local`, { signal: AbortSignal.timeout(50) })).rejects.toThrow();
  server.fault(undefined);
  expect(await count()).toEqual({ result: "1" });
});

it("cut drops connections once", async () => {
  const stream = await openStream(server.url, "/subscribe/c");
  await stream.first(1);
  server.cut();
  await stream.ended;
  expect((await send(server.url, "/ping")).json).toEqual({ result: "PONG" });
});

it("an unknown fault is refused", () => {
  expect(() => server.fault("sleepy" as "hang")).toThrow(/Expected a fault such as .* got "sleepy"/);
  expect(() => server.fault({ slowMs: -1 })).toThrow("Expected a fault such as");
});
