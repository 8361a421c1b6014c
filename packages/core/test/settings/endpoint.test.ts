import { isConfigError } from "@continuum-cache/core";
import { assertToken, parseEndpoint } from "@continuum-cache/core/kit";
import { describe, expect, it } from "vitest";

const rest = (text: string, allowInsecure = false) =>
  parseEndpoint(text, { setting: "UPSTASH_REDIS_REST_URL", schemes: ["https:", "http:"], allowInsecure });

describe("an address", () => {
  it.each(["https://db.upstash.io", "http://127.0.0.1:8079", "http://localhost:1", "http://[::1]:1"])(
    "may be %s",
    (text) => {
      expect(rest(text).href).toContain(text);
    },
  );

  it("may be plain to another machine when that is meant", () => {
    expect(rest("http://10.0.0.1", true).hostname).toBe("10.0.0.1");
  });

  it.each([
    ["db.upstash.io", /no address/],
    [" https://db.upstash.io", /look for blanks/],
    ["", /no address/],
    ["rediss://default:canary@db.upstash.io:6379", /UPSTASH_REDIS_URL/],
    ["ftp://db.upstash.io", /another scheme/],
    ["canary:token", /another scheme/],
    ["http://db.upstash.io", /unencrypted to db.upstash.io/],
    ["http://user:canary@example.com", /unencrypted to example.com/],
    ["http://127.0.0.1.evil.example", /unencrypted/],
    ["https://user:canary@db.upstash.io", /without a user and password/],
    ["https://db.upstash.io?_token=canary", /cut it off/],
    ["https://db.upstash.io#canary", /cut it off/],
  ])("may not be %j", (text, message) => {
    try {
      rest(text);
      expect.unreachable();
    } catch (error) {
      expect(isConfigError(error) && error.setting).toBe("UPSTASH_REDIS_REST_URL");
      expect(String(error)).toMatch(message);
      expect(String(error)).not.toContain("canary");
    }
  });

  it.each(["", " canary", "canary\n", "can ary", "canaryé"])("token %j is refused without being printed", (token) => {
    try {
      assertToken("restToken", token);
      expect.unreachable();
    } catch (error) {
      expect(isConfigError(error)).toBe(true);
      expect(String(error)).not.toContain("canary");
    }
  });
});
