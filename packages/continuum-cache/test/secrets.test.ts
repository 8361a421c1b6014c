import { inspect } from "node:util";
import { startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { UpstashCache, type UpstashCacheOptions } from "continuum-cache";
import { describe, expect, it, vi } from "vitest";

/**
 * These stand for a token, a password and stored values: none may be seen in anything that is thrown, logged or told.
 */
const token = "canary-token-4711";
const password = "canary-password-4711";
const value = "canary-value-4711";

/** Everything that a person could come to read: messages, stacks, causes, own properties, events, the console. */
async function whatIsSaid(
  options: UpstashCacheOptions,
  meddle: () => Promise<unknown> = async () => {},
): Promise<string> {
  const said: unknown[] = [];
  const consoles = (["log", "info", "warn", "error", "debug"] as const).map((name) =>
    vi.spyOn(console, name).mockImplementation((...args) => void said.push(args)),
  );
  const attempt = async (call: () => unknown) => {
    try {
      await call();
    } catch (error) {
      said.push(error, String(error), (error as Error).stack, JSON.stringify(error));
    }
  };
  await attempt(async () => {
    const cache = new UpstashCache({ timeout: "300ms", retries: 0, ...options });
    for (const event of ["error", "skipped", "slow", "backend", "recovered"] as const) {
      cache.on(event, (told) => void said.push(told));
    }
    await attempt(() => cache.set("k", value));
    await attempt(() => cache.lpush("k", value));
    await meddle();
    await attempt(() => cache.get("k"));
    await attempt(() => cache.increment("k"));
    await attempt(() => cache.set("k", { value, big: 1n }));
    await attempt(() => cache.set("k", value.repeat(20_000)));
    await attempt(() => cache.lpush("list", value.repeat(20_000)));
    await attempt(() => cache.pipeline().set("p", value).increment("p").execute());
    await attempt(() => cache.transaction().set("p", value).increment("p").execute());
    await attempt(() => cache.getOrSet("l", () => ({ value, bad: Number.NaN })));
    await attempt(() => cache.publish("c", value));
    await attempt(() => cache.deletePattern("*"));
    await attempt(() => cache.set("k", value, { fallback: false }));
    await attempt(() => cache.info());
    await attempt(() => cache.close());
  });
  for (const each of consoles) each.mockRestore();
  return said
    .map((each) =>
      typeof each === "string" ? each : inspect(each, { depth: 12, showHidden: true, maxStringLength: 1e6 }),
    )
    .join("\n");
}

const expectSilence = (said: string) => {
  expect(said).not.toBe("");
  for (const secret of [token, password, value]) expect(said).not.toContain(secret);
  for (const secret of [token, password, value])
    expect(said).not.toContain(Buffer.from(secret).toString("base64").replace(/=+$/, ""));
};

describe("no secret and no stored value is said", () => {
  it.each([
    { UPSTASH_REDIS_REST_TOKEN: token },
    { UPSTASH_REDIS_REST_URL: "http://db.upstash.io", UPSTASH_REDIS_REST_TOKEN: token },
    { UPSTASH_REDIS_REST_URL: "https://db.upstash.io", UPSTASH_REDIS_REST_TOKEN: `${token}\n` },
    { UPSTASH_REDIS_REST_URL: `https://user:${password}@`, UPSTASH_REDIS_REST_TOKEN: token },
    { UPSTASH_REDIS_URL: `redis://default:${password}@db.upstash.io:6379` },
    { UPSTASH_REDIS_URL: `http://default:${password}@db.upstash.io:6379` },
    { UPSTASH_REDIS_URL: `default:${password}@db.upstash.io` },
  ])("by a wrong setting %#", async (env) => {
    expectSilence(await whatIsSaid({ env }));
  });

  it.each([undefined, "unauthorized", "quota", "error-500", "html", "truncate", "refuse", "hang"] as const)(
    "over REST with the fault %s",
    async (fault) => {
      const server = await startUpstashLocal({ port: 0, token });
      const env = { UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: token };
      for (const fallback of [true, false]) {
        server.fault(undefined);
        const said = await whatIsSaid({ env, fallback }, async () => server.fault(fault));
        expectSilence(said);
      }
      await server.close();
    },
  );

  it("over REST with a wrong token", async () => {
    const server = await startUpstashLocal({ port: 0, token: "another" });
    const env = { UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: token };
    expectSilence(await whatIsSaid({ env, fallback: false }));
    await server.close();
  });

  it("over the Redis protocol: healthy, with a wrong password, black-holed, refused", async () => {
    const redis = await startRedisServer({ password });
    const proxy = await startFaultProxy({ host: "127.0.0.1", port: redis.port });
    const envFor = (secret: string) => ({ UPSTASH_REDIS_URL: `redis://default:${secret}@127.0.0.1:${proxy.port}` });
    expectSilence(await whatIsSaid({ env: envFor(password), fallback: false }));
    expectSilence(await whatIsSaid({ env: envFor(token), fallback: false }));
    for (const fault of ["blackhole", "refuse"] as const) {
      proxy.set({ kind: "pass" });
      expectSilence(
        await whatIsSaid({ env: envFor(password), fallback: false }, async () => proxy.set({ kind: fault })),
      );
    }
    await proxy.close();
    await redis.close();
  });
});
