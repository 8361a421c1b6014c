import { type Fault, startFaultProxy, startRedisServer } from "@continuum-cache/conformance/servers";
import { isTransportError } from "@continuum-cache/core";
import { scaled } from "@continuum-cache/test-scale";
import { restTransport } from "@continuum-cache/transport-rest";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import { startUpstashLocal } from "@continuum-cache/upstash-local";
import { expect, it } from "vitest";
import { SyncLog } from "../../src/log/sync-log.ts";
import { closing, following, waitFor } from "./logs.ts";

// Faults on the connection, and callers that give up: each result is true of the log in the end.

const opened = closing();

/** The same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return (state >>> 4) % below;
  };
}

const faults: readonly Fault[] = [
  { kind: "half-open", lost: "replies" },
  { kind: "half-open", lost: "requests" },
  { kind: "blackhole" },
  { kind: "refuse" },
  { kind: "reset" },
  { kind: "cut", afterBytes: 300 },
  { kind: "latency", latencyMs: 40 },
];

it.each([
  ["Redis protocol", 1],
  ["Redis protocol", 2],
  ["Redis protocol", 3],
  ["REST", 4],
  ["REST", 5],
] as const)("over %s, seed %i", async (way, seed) => {
  const random = randomOf(seed);
  const redis = opened(await startRedisServer({ appendonly: true, args: ["appendfsync always"] }));
  const proxy = opened(await startFaultProxy({ port: redis.port }));
  const connect = async () => {
    const url = `redis://127.0.0.1:${proxy.port}`;
    if (way === "Redis protocol") return opened(tcpTransport({ url }));
    const gateway = opened(await startUpstashLocal({ port: 0, token: "test", redisUrl: url }));
    return opened(restTransport({ url: gateway.url, token: "test" }));
  };
  const options = { key: "log", timeout: "300ms", lease: "1s", pollInterval: "300ms" } as const;
  const a = opened(new SyncLog<number>({ transport: await connect() }, { instanceId: "a", ...options }));
  const b = opened(new SyncLog<number>({ transport: await connect() }, { instanceId: "b", ...options }));
  const errors: string[] = [];
  a.on("error", ({ error }) => errors.push(error.message));
  const reading = opened(following(b));

  let next = 0;
  const accepted = new Map<number, number>();
  const pending = new Set<number>();
  const refused = new Set<number>();
  const unknown = new Set<number>();
  const appendSome = async (): Promise<void> => {
    const count = 1 + random(5);
    const events = Array.from({ length: count }, () => next++);
    await Promise.all(
      events.map(async (event) => {
        const ending = new AbortController();
        const timer = random(6) === 0 ? setTimeout(() => ending.abort(), random(60)) : undefined;
        try {
          const timeout = `${20 + random(400)}ms` as const;
          const appended = await a.append(event, { fallback: random(3) > 0, timeout, signal: ending.signal });
          if (appended.pending) pending.add(event);
          else accepted.set(event, appended.seq);
        } catch (error) {
          if (!isTransportError(error)) throw error;
          (error.delivery === "none" ? refused : unknown).add(event);
        } finally {
          clearTimeout(timer);
        }
      }),
    );
  };

  for (let round = 0; round < scaled(6, 3); round++) {
    proxy.set(faults[random(faults.length)] ?? { kind: "pass" });
    const untilMs = performance.now() + 100 + random(400);
    while (performance.now() < untilMs) {
      const appending = appendSome();
      await new Promise((resolve) => setTimeout(resolve, random(15)));
      if (random(2) === 0) await appending;
    }
    if (random(5) === 0) await redis.restart();
    proxy.set({ kind: "pass" });
    if (random(2) === 0) proxy.cut();
    for (let at = 0; at < random(6); at++) await appendSome();
  }
  proxy.cut();
  await waitFor(() => expect(a.pending).toBe(0));
  await waitFor(async () =>
    expect(await a.append(-1, { timeout: "5s", fallback: false })).toMatchObject({ origin: "a" }),
  );

  const entries = (await redis.command("XRANGE", "log:a", "-", "+")) as [string, string[]][];
  const seqs = entries.map(([id]) => Number(id.split("-")[1]));
  expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, at) => at + 1));
  const events = entries.map(([, [, text]]) => Number(text)).filter((event) => event >= 0);
  expect(new Set(events).size).toBe(events.length);
  for (const [event, seq] of accepted) expect(Number(entries[seq - 1]?.[1][1])).toBe(event);
  const there = new Set(events);
  for (const event of pending) expect(there.has(event)).toBe(true);
  for (const event of refused) expect(there.has(event)).toBe(false);
  await waitFor(() => expect(reading.entries.length).toBe(entries.length));
  expect(reading.seen).toEqual(seqs.map((seq) => `a:${seq}`));
  expect(accepted.size + pending.size + refused.size + unknown.size).toBe(next);
  expect(errors.filter((message) => message.includes("Another program"))).toEqual([]);
});
