import type { Algorithm, RateLimiter } from "@continuum-cache/ratelimit";
import { inFlight as times } from "../../ratelimit/in-flight.ts";
import { commands, cpu, perSecond, script } from "../columns.ts";
import { inFlight, prepared } from "../measures.ts";
import { timeout } from "../patience.ts";
import type { Contender, Measure, Site, Suite } from "../suite.ts";

/** A limiter with a window of a minute. */
interface Limiter {
  /** @returns whether it was allowed. */
  decide(id: string, limit: number): Promise<boolean>;
  close(): unknown;
}

const one = "decision, 1 in flight";
const many = "decision, 64 in flight";
const remembered = "denied id that is remembered";
const full = "decision at a limit of 2,000, three quarters used";

/** So many have so much room that none of them gets to the end of it. */
const idCount = 1_000;
const wide = 1_000_000;

/** Each contender counts under identifiers of its own. */
const contender = (name: string, kind: string, make: (site: Site) => Promise<Limiter>): Contender => ({
  name,
  kind,
  async open(site) {
    const { decide, close } = await make(site);
    const room = (nth: number): unknown => decide(`${name}, ${nth % idCount}`, wide);
    return {
      measures: {
        [one]: inFlight(1, room),
        [many]: inFlight(64, room),
        [remembered]: inFlight(1, () => decide(`${name}, denied`, 1), { clockEvery: 16 }),
        // Over REST the script is the same.
        ...(site.rest.url === "" && { [full]: nearlyFull(name, decide, site.scale) }),
      },
      close,
    };
  },
});

function nearlyFull(name: string, decide: Limiter["decide"], scale: number): Measure {
  let rounds = 0;
  const used = Math.ceil(1_500 * scale);
  const asked = Math.ceil(400 * scale);
  return prepared(async () => {
    const id = `${name}, full ${rounds++}`;
    await times(used, 64, () => decide(id, 2_000));
    return {
      async run() {
        for (let left = asked; left > 0; left--) {
          if (!(await decide(id, 2_000))) throw new Error("Expected room within the limit, but a call was denied");
        }
        return asked;
      },
    };
  });
}

/** Redis decides, however busy the machine is: what the process decides by itself would be another measurement. */
const budget = "30s";

const ours = (limiter: RateLimiter, close: () => unknown): Limiter => ({
  async decide(id, limit) {
    const { allowed, source } = await limiter.limit(id, { window: "1m", limit });
    if (source === "redis" || source === "deny-cache") return allowed;
    throw new Error(`Expected Redis to decide, but the source of a decision was ${source}`);
  },
  async close() {
    await limiter.close();
    await close();
  },
});

/** As the README has it: a limiter on the default cache. */
const onUpstashCache = (name: string, algorithm: Algorithm = "sliding-window"): Contender =>
  contender(name, "ours", async ({ redisUrl, rest: { url, token } }) => {
    const { RateLimiter } = await import("@continuum-cache/ratelimit");
    const { UpstashCache } = await import("continuum-cache");
    const cache = new UpstashCache({
      ...(url === "" ? { url: redisUrl } : { restUrl: url, restToken: token }),
      timeout,
    });
    return ours(new RateLimiter(cache, { budget, algorithm }), () => cache.close());
  });

/** Decisions over the Redis protocol. */
export const ratelimit: Suite = {
  name: "ratelimit",
  title: "Rate limit decisions over the Redis protocol",
  about:
    "Decisions on 1,000 ids with room in a window of a minute; on one id whose denial the process " +
    "remembers (inMemoryBlock of rate-limiter-flexible); and, one after the other, on an id that has used " +
    "1,500 of 2,000, for the time that the script alone takes in Redis. rate-limiter-flexible counts in " +
    "fixed windows, ours exactly in sliding ones unless stated otherwise. Ours has a budget of 30 s in " +
    "place of 250 ms, so that a stall of the machine makes no difference to who decides.",
  servers: "redis",
  value: perSecond,
  columns: [cpu, commands, script],
  scenarios: [many, one, remembered, full],
  contenders: [
    onUpstashCache("RateLimiter on UpstashCache"),
    contender("RateLimiter on tcpTransport", "ours", async ({ redisUrl }) => {
      const { RateLimiter } = await import("@continuum-cache/ratelimit");
      const { tcpTransport } = await import("@continuum-cache/transport-tcp");
      const transport = tcpTransport({ url: redisUrl, timeout });
      return ours(new RateLimiter({ transport }, { budget }), () => transport.close());
    }),
    onUpstashCache("RateLimiter, fixed-window", "fixed-window"),
    onUpstashCache("RateLimiter, token-bucket", "token-bucket"),
    contender("rate-limiter-flexible on ioredis 5", "rate-limiter-flexible", async ({ redisUrl }) => {
      const { Redis } = await import("ioredis-5");
      const { RateLimiterRedis, RateLimiterRes } = await import("rate-limiter-flexible");
      const storeClient = new Redis(redisUrl);
      const limiterOf = (points: number) =>
        new RateLimiterRedis({ storeClient, points, duration: 60, inMemoryBlockOnConsumed: points });
      const limiters = new Map([1, 2_000, wide].map((points) => [points, limiterOf(points)]));
      return {
        async decide(id, limit) {
          try {
            await limiters.get(limit)?.consume(id);
            return true;
          } catch (refusal) {
            if (refusal instanceof RateLimiterRes) return false;
            throw refusal;
          }
        },
        close: () => storeClient.disconnect(),
      };
    }),
  ],
};

/** Decisions over REST. */
export const ratelimitRest: Suite = {
  name: "ratelimit-rest",
  title: "Rate limit decisions over REST",
  about: "The same over REST. @upstash/ratelimit has its sliding window, which estimates, and its cache of denials.",
  servers: "rest",
  value: perSecond,
  columns: [cpu, commands],
  scenarios: [many, one, remembered],
  contenders: [
    onUpstashCache("RateLimiter on UpstashCache"),
    contender("RateLimiter on restTransport", "ours", async ({ rest }) => {
      const { RateLimiter } = await import("@continuum-cache/ratelimit");
      const { restTransport } = await import("@continuum-cache/transport-rest");
      const transport = restTransport({ ...rest, timeout });
      return ours(new RateLimiter({ transport }, { budget }), () => transport.close());
    }),
    contender("@upstash/ratelimit", "@upstash/ratelimit", async ({ rest }) => {
      const { Ratelimit } = await import("@upstash/ratelimit");
      const { Redis } = await import("@upstash/redis");
      const redis = new Redis(rest);
      const limiterOf = (limit: number) => new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(limit, "60 s") });
      const limiters = new Map([1, wide].map((limit) => [limit, limiterOf(limit)]));
      return { decide: async (id, limit) => (await limiters.get(limit)?.limit(id))?.success ?? false, close() {} };
    }),
  ],
};
