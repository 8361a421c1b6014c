import { isConfigError } from "@continuum-cache/core";
import { parseRedisUrl } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

const canary = "canary-90d1";

describe("parseRedisUrl", () => {
  it.each<[string, object]>([
    [
      "redis://localhost",
      { secure: false, at: { host: "localhost", port: 6379 }, database: 0, where: "localhost:6379" },
    ],
    ["redis://LOCALHOST:7000/3", { at: { host: "LOCALHOST", port: 7000 }, database: 3 }],
    [
      "rediss://default:p%40ss@db.example:6380?db=2",
      { secure: true, username: "default", password: "p@ss", database: 2 },
    ],
    ["redis://[::1]:6379?family=6", { at: { host: "::1", port: 6379 }, family: 6 }],
    [
      "unix:///run/redis%20one.sock",
      { secure: false, at: { path: "/run/redis one.sock" }, where: "/run/redis one.sock" },
    ],
    ["unix:///s?db=4&username=u&password=a%2Bb", { at: { path: "/s" }, database: 4, username: "u", password: "a+b" }],
  ])("reads %s", (text, expected) => {
    expect(parseRedisUrl(text, { setting: "url" })).toMatchObject(expected);
  });

  it.each([
    [undefined, /got none/],
    [17, /no URL/],
    [` redis://:${canary}@localhost`, /no URL/],
    [`https://:${canary}@eu1.upstash.io`, /REST API/],
    [`${canary}:secret`, /got another scheme/],
    [`redis://:${canary}@localhost/zero`, /number of a database/],
    [`redis://:${canary}@localhost/1/2`, /number of a database/],
    [`redis://:${canary}@localhost/1?db=2`, /say its database once/],
    [`redis://:${canary}@localhost?db=`, /number of a database/],
    [`redis://:${canary}@localhost?db=1&db=2`, /say db once/],
    [`redis://:${canary}@localhost?family=5`, /4 or 6, got "5"/],
    [`redis://:${canary}@localhost?tls=true`, /got "tls": rediss:/],
    [`redis://localhost?password=${canary}`, /no parameters but db, family, got "password"/],
    [`redis://localhost?keyPrefix=${canary}`, /got "keyPrefix"/],
    [`redis://:x@localhost/0#${canary}`, /%23/],
    [`redis://:${canary}%zz@localhost`, /percent-encoded/],
    [`redis://:${canary}@db.example.com`, /unencrypted to db.example.com.*allowInsecure/],
    [`unix://run/redis.sock?password=${canary}`, /three slashes/],
    [`unix:///run/redis.sock?family=4&password=${canary}`, /got "family"/],
  ])("refuses %s", (text, message) => {
    try {
      parseRedisUrl(text, { setting: "UPSTASH_REDIS_URL" });
      expect.unreachable();
    } catch (error) {
      expect(isConfigError(error) && error.setting).toBe("UPSTASH_REDIS_URL");
      expect(String(error)).toMatch(message);
      expect(String(error)).not.toContain(canary);
    }
  });

  it("allows plaintext to another host where that is said, and says how", () => {
    expect(parseRedisUrl("redis://redis:6379", { setting: "url", allowInsecure: true }).where).toBe("redis:6379");
    expect(() => parseRedisUrl("redis://redis:6379", { setting: "url", howToAllow: "set X=true" })).toThrow(
      /set X=true/,
    );
  });
});
