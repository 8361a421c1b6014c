import { isConfigError } from "@continuum-cache/core";
import { fetchHttp, type RestTransportOptions, restTransport } from "@continuum-cache/transport-rest";
import { describe, expect, test } from "vitest";

const valid: RestTransportOptions = { url: "https://db.upstash.io", token: "canary-token" };

function refusal(options: Partial<Record<keyof RestTransportOptions, unknown>>): Error & { setting?: string } {
  try {
    restTransport({ ...valid, ...options } as RestTransportOptions);
  } catch (error) {
    if (isConfigError(error)) return error;
    throw error;
  }
  return expect.fail("expected a ConfigError");
}

describe("options", () => {
  test.each<[string, Partial<Record<keyof RestTransportOptions, unknown>>, string, RegExp]>([
    ["no url", { url: undefined }, "url", /https:\/\//],
    ["an empty url", { url: "" }, "url", /https:\/\//],
    ["a url with a newline", { url: "https://db.upstash.io\n" }, "url", /blanks/],
    ["a url without scheme", { url: "db.upstash.io" }, "url", /https:\/\//],
    ["a Redis url", { url: "rediss://default:canary-password@db.upstash.io:6379" }, "url", /Redis protocol/],
    ["a url with a password", { url: "https://default:canary-password@db.upstash.io" }, "url", /use `token`/],
    ["a url with a query", { url: "https://db.upstash.io/?_token=canary-query" }, "url", /cut it off/],
    ["plain text to another machine", { url: "http://db.upstash.io" }, "url", /allowInsecure/],
    ["no token", { token: undefined }, "token", /token/],
    ["an empty token", { token: "" }, "token", /empty/],
    ["a token with a newline", { token: "canary-token\n" }, "token", /line break/],
    ["a token with a blank before", { token: " canary-token" }, "token", /blank/],
    ["a timeout of zero", { timeout: 0 }, "timeout", /positive/],
    ["a timeout without a unit", { timeout: "5" }, "timeout", /"30s"/],
    ["maxRequestBytes of zero", { maxRequestBytes: 0 }, "maxRequestBytes", /at least 1, got 0/],
    ["maxResponseBytes that is no number", { maxResponseBytes: Number.NaN }, "maxResponseBytes", /whole number/],
    ["readYourWrites as a text", { readYourWrites: "false" }, "readYourWrites", /true or false, got "false"/],
    ["allowInsecure as a number", { allowInsecure: 1 }, "allowInsecure", /true or false/],
    ["a fetch that is none", { fetch: {} }, "fetch", /function/],
    ["an http that is none", { http: { fetch } }, "http", /`request`/],
    ["fetch and http at once", { fetch: globalThis.fetch, http: fetchHttp() }, "fetch", /leave one out/],
  ])("%s", (_, options, setting, message) => {
    const error = refusal(options);
    expect(error.setting).toBe(setting);
    expect(error.message).toMatch(message);
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain("canary");
  });

  test.each([
    ["timeoutMs", "timeout"],
    ["URL", "url"],
    ["maxRequestSize", undefined],
    ["readYourWrite", "readYourWrites"],
  ])("the unknown option %s is refused, and the closest is named", (name, closest) => {
    const error = refusal({ [name]: 1 });
    expect(error.setting).toBe(name);
    if (closest) expect(error.message).toContain(`Did you mean \`${closest}\`?`);
    expect(error.message).toContain("url, token, timeout");
  });

  test("options that are none are refused", () => {
    expect(() => Reflect.apply(restTransport, undefined, ["https://db.upstash.io"])).toThrow(/as an object/);
  });

  test.each(["http://127.0.0.1:8079", "http://localhost:8079", "http://[::1]:8079"])("%s may be plain", async (url) => {
    await restTransport({ ...valid, url }).close();
  });

  test("allowInsecure allows plain text to another machine", async () => {
    await restTransport({ ...valid, url: "http://redis.internal", allowInsecure: true }).close();
  });

  test("your own fetch replaces whatever the platform would use", async () => {
    const urls: string[] = [];
    const rest = restTransport({
      ...valid,
      fetch: async (url, init) => {
        urls.push(`${init.method} ${url}`);
        return Response.json({ result: "OK" });
      },
    });
    expect(await rest.send([["SET", "a", "1"]])).toEqual(["OK"]);
    expect(await rest.client.set("a", 1)).toBe("OK");
    expect(urls).toEqual(["POST https://db.upstash.io/", "POST https://db.upstash.io/"]);
  });
});
