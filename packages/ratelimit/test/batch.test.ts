import { startRedisServer } from "@continuum-cache/conformance/servers";
import { CommandError, type Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { closing } from "@continuum-cache/fixtures";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { describe, expect, it } from "vitest";
import { countWidth, digits, timeWidth } from "../src/algorithms/digits.ts";
import { type Algorithm, type Decision, RateLimiter, type RateLimiterOptions } from "../src/index.ts";

// The calls of one tick are decided in one script call.

const opened = closing();
const algorithms: Algorithm[] = ["sliding-window", "sliding-log", "fixed-window", "token-bucket"];
const rule: RateLimiterOptions = { window: "1h", limit: 5, budget: "10s" };
const ids = Array.from({ length: 8 }, (_, user) => `user${user}`);

const limiterOn = (transport: Transport, options: RateLimiterOptions = {}) =>
  opened(new RateLimiter({ transport }, { ...rule, ...options }));
const onRedis = async (args: string[] = []) => {
  const redis = opened(await startRedisServer({ args }));
  return { redis, transport: opened(tcpTransport({ url: redis.url })) };
};
const sourcesOf = (decisions: readonly Decision[]) => [...new Set(decisions.map(({ source }) => source))];

describe.each(algorithms)("%s: the calls of one tick", (algorithm) => {
  it("are decided one after another, those on one key too", async () => {
    const { transport } = await onRedis();
    const limiter = limiterOn(transport, { algorithm });
    const decisions = await Promise.all([
      limiter.limit("ann", { cost: 3 }),
      limiter.limit("bob", { cost: 5 }),
      limiter.limit("ann", { cost: 3 }),
      limiter.limitAll([{ id: "ann" }, { id: "bob" }]),
      limiter.limit("ann", { cost: 2 }),
      limiter.limitAll([{ id: "ann" }, { id: "cat" }]),
      limiter.limit("cat"),
    ]);
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false, false, true, false, true]);
    expect(await limiter.getUsage("ann")).toMatchObject({ current: 5 });
    expect(await limiter.getUsage("cat")).toMatchObject({ current: 1 });
  });

  it("are decided when the key of one of them holds another value", async () => {
    const { redis, transport } = await onRedis();
    const limiter = limiterOn(transport, { algorithm });
    // A process has a part of each limit once an answer of Redis has shown some use.
    await limiter.limit("warm");
    const errors: string[] = [];
    limiter.on("error", ({ error }) => errors.push(error.message));
    const suffix = { "fixed-window": ".fixed", "token-bucket": ".bucket" }[algorithm as string] ?? "";
    await redis.command("SET", `ratelimit:default:user3:3600s${suffix}`, "something else");
    await redis.command("HSET", `ratelimit:default:user5:3600s${suffix}`, "f", "v");
    const decisions = await Promise.all(ids.map((id) => limiter.limit(id)));
    expect(decisions.map(({ source }) => source)).toEqual(
      ids.map((id) => (id === "user3" || id === "user5" ? "local" : "redis")),
    );
    expect(errors).toEqual([expect.stringMatching(/use another scope/), expect.stringMatching(/^WRONGTYPE/)]);
    expect(await redis.command("GET", `ratelimit:default:user3:3600s${suffix}`)).toBe("something else");
  });

  it("go one by one to a Redis Cluster, from the second tick on at once", async () => {
    const { redis, transport } = await onRedis(["cluster-enabled yes"]);
    await redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    await expect.poll(() => redis.command("CLUSTER", "INFO")).toMatch(/cluster_state:ok/);
    const limiter = limiterOn(transport, { algorithm });
    const errors: unknown[] = [];
    limiter.on("error", (event) => errors.push(event));
    const tick = () => Promise.all(ids.map((id) => limiter.limit(id)));
    expect(sourcesOf(await tick())).toEqual(["redis"]);
    await redis.resetStats();
    const decisions = await tick();
    expect(decisions.map(({ allowed, current, source }) => [allowed, current, source])).toEqual(
      ids.map(() => [true, 2, "redis"]),
    );
    expect((await redis.commandStats())["evalsha"]).toBe(ids.length);
    expect(errors).toEqual([]);
  });
});

it.each([1, 300])("what an earlier version has counted still counts: %d calls", async (calls) => {
  const { transport } = await onRedis();
  const nowUs = Date.now() * 1_000;
  const width = 6;
  const record = (agoUs: number) => `${digits((nowUs - agoUs) % 64 ** width, width)}1`;
  const counted = Array.from({ length: calls }, (_, at) => record(1_000 - at)).join("");
  // Half an hour ago, one more call was in the window than is now.
  const lastUs = nowUs - 1_800_000_000;
  const header = digits(lastUs, timeWidth) + digits(lastUs - 1, timeWidth) + digits(calls + 1, countWidth);
  for (const each of [transport, opened(memoryTransport())]) {
    const key = "ratelimit:default:ann:3600s";
    await each.send([["SET", key, `s${digits(width, 1)}1${header}${record(4_000_000_000)}${counted}`]]);
    const limiter = limiterOn(each, { limit: calls + 1 });
    expect(await limiter.getUsage("ann")).toMatchObject({ current: calls });
    const last = await limiter.limit("ann");
    expect(last).toMatchObject({ allowed: true, current: calls + 1 });
    expect(await limiter.limit("ann")).toMatchObject({ allowed: false, current: calls + 1 });
    expect(await limiter.refund(last)).toBe(true);
    expect(await limiter.getUsage("ann")).toMatchObject({ current: calls });
  }
});

describe("on a transport that shows what is sent", () => {
  const watched = (answer?: (command: readonly unknown[]) => unknown) => {
    const memory = memoryTransport();
    const sent: (readonly unknown[])[] = [];
    const send: Transport["send"] = async (commands, options) => {
      sent.push(...commands);
      const replies = commands.map(answer ?? (() => undefined));
      if (replies.every((reply) => reply === undefined)) return memory.send(commands, options);
      return replies as Awaited<ReturnType<Transport["send"]>>;
    };
    const { name, close } = memory;
    return { sent, transport: { name, send, close } };
  };

  it("more than a hundred calls of a tick go in several script calls, in their order", async () => {
    const { sent, transport } = watched();
    const limiter = limiterOn(transport, { limit: 250 });
    await limiter.limit("warm");
    sent.length = 0;
    const decisions = await Promise.all(Array.from({ length: 251 }, () => limiter.limit("ann")));
    expect(sent.map((command) => command[2])).toEqual([100, 100, 51]);
    expect(decisions.map(({ current }) => current)).toEqual([...Array(250).keys()].map((used) => used + 1).concat(250));
  });

  it("calls that are alike share their numbers", async () => {
    const { sent, transport } = watched();
    const limiter = limiterOn(transport);
    await limiter.limit("warm");
    sent.length = 0;
    await Promise.all(ids.map((id) => limiter.limit(id)));
    expect(sent).toHaveLength(1);
    // EVALSHA, the hash, how many keys, the keys, the two times, how many calls, how many keys each, and five numbers.
    expect(sent[0]).toHaveLength(3 + ids.length + 2 + 2 + 5);
  });

  it.each<[string, unknown]>([
    ["something else", ["1", "2"]],
    ["a call is missing", "1 1 1"],
    ["a call is there twice", "1 1 1\n16H8\\1OKB0 0 0 0 0 0 0\n16H8\\1OKB0 0 0 0 0 0 0"],
    ["a number is missing", "1 1 1\n16H8\\1OKB0 0 0 0"],
    ["a number is too many", "1 1 1\n16H8\\1OKB0 0 0 0 0 0 0 0"],
    ["a number is none", "1 1 1\n16H8\\1OKB0 0 0 0 x 0 0"],
    ["a number has no digits", "1 1 1\n16H8\\1OKB0 0 0  0 0 0"],
    ["it ends too soon", "1 1 1\n16H8"],
  ])("an answer that is none is told as one, and decided without Redis: %s", async (_, reply) => {
    const { transport } = watched(() => reply);
    const limiter = limiterOn(transport, { onError: "open", budget: "50ms" });
    const errors: string[] = [];
    limiter.on("error", ({ error }) => errors.push(error.message));
    expect(await limiter.limit("ann")).toMatchObject({ allowed: true, source: "open" });
    expect(errors.join()).toMatch(/none that a rate limit gives/);
  });

  it("a script that fails as a whole fails for all calls of the tick", async () => {
    const { transport } = watched(() => new CommandError("OOM command not allowed"));
    const limiter = limiterOn(transport, { onError: "closed" });
    const errors: string[] = [];
    limiter.on("error", ({ error }) => errors.push(error.message));
    expect(sourcesOf(await Promise.all(ids.map((id) => limiter.limit(id))))).toEqual(["closed"]);
    expect(errors).toEqual(["OOM command not allowed"]);
  });
});
