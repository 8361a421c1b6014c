import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache } from "continuum-cache";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createProgram } from "../src/index.ts";
import { publicReason } from "../src/watch/public-reason.ts";
import { knowledge } from "./empty-knowledge.ts";

let local: UpstashLocal;
let cache: UpstashCache;
beforeAll(async () => {
  local = await startUpstashLocal({ port: 0, token: "canary" });
  cache = new UpstashCache({ mode: "rest", restUrl: local.url, restToken: "canary", env: {} });
});
afterAll(async () => {
  await cache.close();
  await local.close();
});

it("statistics show visitors no address, version or error of a server, in an outage or not", async () => {
  const program = createProgram({ cache, knowledge, server: "Upstash over REST", logError: () => {} });
  const stats = async () => {
    const text = await (await program.request("/api/stats")).text();
    expect(text).not.toMatch(/127\.0\.0\.1|localhost|https?:|canary|ECONN/);
    expect(text).not.toContain(String(local.port));
    return JSON.parse(text);
  };
  const answering = await stats();
  expect(answering).toMatchObject({ backend: "upstash", place: "Upstash over REST", outage: null });
  expect(Object.keys(answering.info)).toEqual(["keys"]);

  local.fault("refuse");
  await cache.set("a", 1);
  const away = await stats();
  expect(away).toMatchObject({
    backend: "local",
    place: "the memory of this process, until Upstash over REST answers again",
    outage: { state: "local", reason: "unreachable" },
    watch: { turns: [{ to: "local", reason: "unreachable" }] },
  });
});

it.each([
  ["timeout: No answer within 2000 ms", "timeout"],
  ["too-large: the answer of db.example:6379", "too-large"],
  ["an earlier process has left a journal", "unavailable"],
  ["db.example:6379 refused", "unavailable"],
  ["", "unavailable"],
])("of the reason %j visitors see %j", (reason, shown) => {
  expect(publicReason(reason)).toBe(shown);
});
