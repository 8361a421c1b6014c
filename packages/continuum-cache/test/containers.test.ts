import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RedisServerOptions, startRedisServer } from "@continuum-cache/conformance/servers";
import { UpstashCache, type UpstashCacheOptions } from "continuum-cache";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "continuum-cache-containers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a cache reads back, of a server that is set up so. */
async function stored(
  server: RedisServerOptions,
  settings: (server: Awaited<ReturnType<typeof startRedisServer>>) => UpstashCacheOptions,
): Promise<unknown> {
  const redis = await startRedisServer(server);
  const cache = new UpstashCache({ fallback: false, env: {}, ...settings(redis) });
  try {
    await cache.set("a", "stored");
    return await cache.get("a");
  } finally {
    await cache.close();
    await redis.close();
  }
}

describe("an UpstashCache in a container reaches", () => {
  it("a Redis without TLS under another host's name, by variable", async () => {
    const env = (port: number) => ({
      UPSTASH_REDIS_URL: `redis://0.0.0.0:${port}`,
      CONTINUUM_CACHE_ALLOW_INSECURE: "true",
    });
    expect(await stored({}, ({ port }) => ({ env: env(port) }))).toBe("stored");
  });

  it("a Redis whose certificate is of a private authority, by option and by variable", async () => {
    const file = join(folder, "ca.pem");
    expect(
      await stored({ tls: true }, ({ url, ca = "" }) => ({ url, tls: { ca: new TextEncoder().encode(ca) } })),
    ).toBe("stored");
    expect(
      await stored({ tls: true }, ({ url, ca = "" }) => {
        writeFileSync(file, ca);
        return { env: { UPSTASH_REDIS_URL: url, CONTINUUM_CACHE_CA_FILE: file } };
      }),
    ).toBe("stored");
    expect(await stored({ tls: true }, ({ url }) => ({ url, tls: { rejectUnauthorized: false } }))).toBe("stored");
    await expect(stored({ tls: true }, ({ url }) => ({ url }))).rejects.toThrow(/`tls: \{ ca \}`/);
  });

  it("a Unix socket, with its database and password as parameters", async () => {
    const path = join(folder, "redis.sock");
    const server = { password: "p w", args: [`unixsocket ${JSON.stringify(path)}`] };
    expect(await stored(server, () => ({ url: `unix://${path}?db=1&password=p%20w` }))).toBe("stored");
  });
});

describe("a file of certificates is a ConfigError at construction", () => {
  const withFile = (path: string) => () =>
    new UpstashCache({ url: "rediss://localhost", env: { CONTINUUM_CACHE_CA_FILE: path } });

  it("that is not there", () => {
    expect(withFile(join(folder, "none.pem"))).toThrow(
      expect.objectContaining({ name: "ConfigError", message: expect.stringMatching(/ENOENT/) }),
    );
  });

  it("that holds none", () => {
    writeFileSync(join(folder, "empty.pem"), "nothing");
    expect(withFile(join(folder, "empty.pem"))).toThrow(/hold certificates in PEM, got none/);
  });
});

describe("options of an UpstashCache", () => {
  it.each([
    [{ localMaxBytes: 0 }, "localMaxBytes"],
    [{ mode: 5 as never }, "mode"],
    [{ fallback: "false" as never }, "fallback"],
    [{ allowInsecure: 1 as never }, "allowInsecure"],
    [{ global: "no" as never }, "global"],
    [{ poolSize: "10" as never }, "poolSize"],
    [{ url: 6379 as never }, "url"],
    [{ warn: true as never }, "warn"],
    [{ waitUntil: {} as never }, "waitUntil"],
    [{ tls: [] as never, url: "rediss://localhost" }, "tls"],
    [{ healthCheckInterval: "soon" as never, fallback: false }, "healthCheckInterval"],
  ])("%j are refused under the names that they have there", (options, setting) => {
    expect(() => new UpstashCache({ url: "redis://localhost", env: {}, ...options })).toThrow(
      expect.objectContaining({ name: "ConfigError", setting }),
    );
  });
});
