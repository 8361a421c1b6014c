import { closing, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import type { Command, Reply } from "@continuum-cache/core";
import { scaled, testSeed } from "@continuum-cache/test-scale";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { afterEach, describe, expect, it } from "vitest";

const opened = closing(afterEach);
const setUp = async (poolSize: number) => {
  const server = opened(await startRedisServer());
  const proxy = opened(await startFaultProxy({ port: server.port }));
  const transport = opened(tcpTransport({ url: `redis://127.0.0.1:${proxy.port}`, poolSize, timeout: "30s" }));
  return { server, proxy, transport };
};

/** Repeatable numbers below `bound`. */
const randomFrom = (seed: number) => (bound: number) => {
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
  return (seed >> 8) % bound;
};

const seeds = Array.from({ length: 5 }, (_, nth) => testSeed + nth);

/** KEYS leaves its order open. */
const inKeyOrder =
  (commands: readonly Command[]) =>
  (reply: Reply, index: number): Reply =>
    commands[index]?.[0] === "KEYS" && Array.isArray(reply) ? [...reply].sort() : reply;

describe("the pool", () => {
  it("stays with one connection while that keeps up", async () => {
    const { proxy, transport } = await setUp(10);
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 200 }, (_, index) => transport.send([["SET", `k${index}`, round]])));
    }
    expect(proxy.seen.connections).toBe(1);
  });

  it("opens another when large values hold the first up, and never more than allowed", async () => {
    const { proxy, transport } = await setUp(3);
    const large = "x".repeat(300_000);
    const trips = Array.from({ length: 12 }, (_, index) => transport.send([["SET", `big${index}`, large]]));
    const small = transport.send([["ECHO", "small"]]);
    expect(await small).toEqual(["small"]);
    await Promise.all(trips);
    expect(proxy.seen.connections).toBe(3);
  });

  it("keeps a burst on one key on one connection, where it needs no waiting", async () => {
    const { proxy, transport } = await setUp(10);
    const trips = Array.from({ length: 1_000 }, () => transport.send([["INCR", "n"]]));
    expect(await Promise.all(trips)).toEqual(trips.map((_, index) => [index + 1]));
    expect(proxy.seen.connections).toBe(1);
  });

  it.each(seeds)("keeps the order of every key across connections (history %i)", async (seed) => {
    const { proxy, transport } = await setUp(4);
    proxy.set({ kind: "latency", latencyMs: 1 });
    const random = randomFrom(seed);
    const model = new Map<string, string>();
    const read = (key: string): string | null => model.get(key) ?? null;
    const write = (key: string, value: string): Reply => {
      model.set(key, value);
      return value.length;
    };
    const outcomes: Promise<void>[] = [];
    for (let step = 0; step < scaled(600, 100); step++) {
      const [a, b] = [`k${random(6)}`, `k${random(6)}`];
      const kinds: readonly (() => [Command[], Reply[]])[] = [
        () => [[["APPEND", a, `${step},`]], [write(a, `${read(a) ?? ""}${step},`)]],
        () => [
          [
            ["GET", a],
            ["GET", b],
          ],
          [read(a), read(b)],
        ],
        () => [[["MGET", a, b]], [[read(a), read(b)]]],
        () => [
          [
            ["APPEND", a, "-"],
            ["GET", b],
          ],
          [write(a, `${read(a) ?? ""}-`), read(b)],
        ],
        () => [[["SET", `filler${step}`, "x".repeat(200_000), "EX", 60]], ["OK"]],
        () => [[["DEL", a]], [Number(model.delete(a))]],
      ];
      // Rare, since it ties all keys together for a while.
      const whole = (): [Command[], Reply[]] => [[["KEYS", "k?"]], [[...model.keys()].sort()]];
      const [commands, expected] = (step % 50 === 49 ? whole : (kinds[random(kinds.length)] as typeof whole))();
      outcomes.push(
        transport
          .send(commands, { atomic: random(4) === 0 })
          .then((replies) => expect(replies.map(inKeyOrder(commands))).toEqual(expected)),
      );
      if (random(20) === 0) await new Promise((resolve) => setTimeout(resolve, random(3)));
    }
    await Promise.all(outcomes);
    expect(proxy.seen.connections).toBeGreaterThan(2);
  });

  it("keeps the order of a key when calls give up while they wait", async () => {
    const { transport } = await setUp(3);
    const large = "x".repeat(400_000);
    const outcomes: Promise<unknown>[] = [];
    for (let round = 0; round < 20; round++) {
      const controller = new AbortController();
      outcomes.push(transport.send([["SET", `big${round % 4}`, large]]));
      outcomes.push(transport.send([["MSET", "k", round, `big${round % 4}`, "small"]]));
      const aborted = transport.send([["MSET", "k", "aborted", `big${(round + 1) % 4}`, "y"]], {
        signal: controller.signal,
      });
      outcomes.push(aborted.catch(() => {}));
      controller.abort();
      outcomes.push(transport.send([["SET", "k", round]]));
      outcomes.push(transport.send([["GET", "k"]]).then((reply) => expect(reply).toEqual([String(round)])));
    }
    await Promise.all(outcomes);
  });
});
