import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal, type UpstashLocal, type UpstashLocalOptions } from "@continuum-cache/upstash-local";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { post } from "./raw-http.ts";

/** The server under test, started before the tests of its block. */
export interface Running {
  readonly server: UpstashLocal;
  /** The Redis behind it, where there is one. */
  readonly redis: RedisServer | undefined;
}

type Started = () => Running;

/** Registers the tests twice: on the embedded engine, and in front of a real Redis. Each test begins with no data. */
export function onBothEngines(
  title: string,
  tests: (running: Started) => void,
  options: UpstashLocalOptions = {},
): void {
  describe(`${title} (embedded engine)`, () => onEmbedded(tests, options));
  describe(`${title} (real Redis)`, () => onRedis(tests, options));
}

function onEmbedded(tests: (running: Started) => void, options: UpstashLocalOptions = {}): void {
  let server: UpstashLocal;
  beforeAll(async () => {
    server = await startUpstashLocal({ port: 0, token: "local", ...options });
  });
  beforeEach(() => post(server.url, "/", ["FLUSHALL"], { token: server.token }));
  afterAll(() => server.close());
  tests(() => ({ server, redis: undefined }));
}

export function onRedis(tests: (running: Started) => void, options: UpstashLocalOptions = {}): void {
  let server: UpstashLocal;
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedisServer();
    server = await startUpstashLocal({ port: 0, token: "local", redisUrl: redis.url, ...options });
  });
  beforeEach(() => redis.command("FLUSHALL"));
  afterAll(async () => {
    await server.close();
    await redis.close();
  });
  tests(() => ({ server, redis }));
}
