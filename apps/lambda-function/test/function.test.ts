import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal } from "@continuum-cache/upstash-local";
import type { APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeDigest } from "../../program/scripts/write-digest.ts";
import { bundleFunction } from "../scripts/bundle.ts";
import { version1, version2 } from "./events.ts";
import { type LambdaRuntime, startLambda } from "./runtime/lambda-runtime.ts";

type Body = Record<string, unknown>;

describe.each(["REST", "the Redis protocol"])("the function behind Lambda's Runtime API, over %s", (way) => {
  let redis: RedisServer;
  let local: UpstashLocal;
  let task: string;
  let lambda: LambdaRuntime;
  beforeAll(async () => {
    if (!existsSync(join(import.meta.dirname, "../../program/dist/digest.txt"))) await writeDigest();
    task = mkdtempSync(join(tmpdir(), "lambda-task-"));
    await bundleFunction(task);
    redis = await startRedisServer();
    local = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url });
    const env: Record<string, string> =
      way === "REST"
        ? { UPSTASH_REDIS_REST_URL: local.url, UPSTASH_REDIS_REST_TOKEN: local.token }
        : { UPSTASH_REDIS_URL: redis.url };
    lambda = await startLambda(task, env);
  });
  afterAll(async () => {
    await lambda.stop();
    await local.close();
    await redis.close();
    rmSync(task, { recursive: true, force: true });
  });

  const call = async (event: unknown): Promise<APIGatewayProxyStructuredResultV2> =>
    (await lambda.invoke(event)) as APIGatewayProxyStructuredResultV2;
  const ask = async (path: string, query = ""): Promise<Body> =>
    JSON.parse((await call(version2({ path, query }))).body ?? "") as Body;

  it("searches once, whichever gateway asks, and is frozen in between", async () => {
    expect(await ask("/api/search", "q=musical+instrument")).toMatchObject({ cache: "miss", backend: "upstash" });
    await lambda.frozen();
    const again = await call(version1({ path: "/api/search", query: "q=musical+instrument" }));
    expect(JSON.parse(again.body ?? "")).toMatchObject({ cache: "hit", backend: "upstash" });
  });

  it("publishes its events before Lambda freezes it", async () => {
    await lambda.frozen();
    expect(Number(await redis.command("DBSIZE"))).toBeGreaterThan(1);
    const keys = (await redis.command("KEYS", "*ws:memory:updates*")) as unknown as readonly string[];
    expect(keys.length).toBeGreaterThan(0);
  });

  it("survives connections that broke while it was frozen", async () => {
    await lambda.frozen();
    local.cut();
    await redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    expect(await ask("/api/search", "q=musical+instrument")).toMatchObject({ results: expect.any(Array) });
    await expect
      .poll(async () => (await ask("/api/search", "q=musical+instrument"))["backend"], { interval: 200 })
      .toBe("upstash");
  });

  it("rejects an event that is no HTTP event, and answers the next one", async () => {
    await expect(lambda.invoke({ Records: [] })).rejects.toThrow(/Expected an event of an API Gateway/);
    expect((await call(version2({ path: "/healthz" }))).statusCode).toBe(200);
  });
});

describe("the function's bundle", () => {
  it("is as large as the README says", async () => {
    const task = mkdtempSync(join(tmpdir(), "lambda-task-"));
    await bundleFunction(task);
    const file = join(task, "index.mjs");
    const [size, zipped] = [statSync(file).size, gzipSync(readFileSync(file), { level: 9 }).length];
    rmSync(task, { recursive: true, force: true });
    const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
    const [, stated, statedZipped] = /\| bundle \| ([\d.]+) kB, ([\d.]+) kB zipped/.exec(readme) ?? [];
    expect(Math.abs(size / 1_000 / Number(stated) - 1), `${size}`).toBeLessThan(0.05);
    expect(Math.abs(zipped / 1_000 / Number(statedZipped) - 1), `${zipped}`).toBeLessThan(0.05);
  });
});
