import { commands, cpu, perSecond } from "../columns.ts";
import { type KeyValue, keyValueScenarios, openKeyValue, ttlSeconds } from "../key-value.ts";
import { timeout } from "../patience.ts";
import { requestPerCall, requestPerTick } from "../references/hand-http.ts";
import type { Contender, Site, Suite } from "../suite.ts";

const contender = (name: string, kind: string, connect: (rest: Site["rest"]) => Promise<KeyValue>): Contender => ({
  name,
  kind,
  open: async ({ rest }) => openKeyValue(name, await connect(rest)),
});

/** Get and set over Upstash's REST API. */
export const rest: Suite = {
  name: "rest",
  title: "Get and set over REST",
  about:
    "Values of 1 KB of JSON under 1,000 keys, all set with an expiry. The server is a gateway of some 100 " +
    "lines in a process of its own, so that clients are measured and not the server.",
  servers: "rest",
  value: perSecond,
  columns: [cpu, commands],
  scenarios: keyValueScenarios,
  contenders: [
    contender("UpstashCache", "ours", async ({ url, token }) => {
      const { UpstashCache } = await import("continuum-cache");
      return new UpstashCache({ restUrl: url, restToken: token, timeout });
    }),
    contender("Cache on restTransport", "ours", async (address) => {
      const { Cache } = await import("@continuum-cache/core");
      const { restTransport } = await import("@continuum-cache/transport-rest");
      return new Cache({ transport: restTransport({ ...address, timeout }), timeout });
    }),
    contender("@upstash/redis", "@upstash/redis", async (address) => {
      const { Redis } = await import("@upstash/redis");
      const redis = new Redis(address);
      return {
        get: (key) => redis.get(key),
        set: (key, value) => redis.set(key, value, { ex: ttlSeconds }),
      };
    }),
    contender("node:http, a request per call", "the best of node:http", async (address) => requestPerCall(address)),
    contender("node:http, a request per tick", "the best of node:http", async (address) => requestPerTick(address)),
  ],
};
