import type { Command, Reply, Transport } from "@continuum-cache/core";
import { memoryTransport, withFallback } from "@continuum-cache/fallback-memory";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { switchable } from "./switchable.ts";

// One client, whose trips in an outage surely never arrive. Then the primary must end up, once it has been told, as if
// there had been no outage at all, however often it goes away again while it is being told and whether or not it had
// done what it gave no answer to.

const key = (family: string) => fc.integer({ min: 0, max: 2 }).map((id) => `${family}:${id}`);
const item = fc.integer({ min: 0, max: 999 }).map((number) => `v${number}`);
const field = fc.constantFrom("f", "g");
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(fc.constant("SET"), key("s"), item),
  fc.tuple(fc.constant("SET"), key("s"), item, fc.constant("EX"), fc.integer({ min: 50_000, max: 90_000 })),
  fc.tuple(fc.constant("APPEND"), key("a"), item),
  fc.tuple(fc.constant("MSET"), key("s"), item, key("s"), item),
  fc.tuple(fc.constant("INCRBY"), key("n"), fc.integer({ min: -9, max: 9 })),
  fc.tuple(fc.constant("DECR"), key("n")),
  fc.tuple(fc.constant("RPUSH"), key("l"), item, item),
  fc.tuple(fc.constant("LPUSH"), key("l"), item, item),
  fc.tuple(fc.constant("HSET"), key("h"), field, item),
  fc.tuple(fc.constant("HINCRBY"), key("hn"), field, fc.integer({ min: -9, max: 9 })),
  fc.tuple(fc.constant("HDEL"), key("h"), field),
  fc.tuple(fc.constant("DEL"), fc.oneof(...["s", "a", "n", "l", "h", "hn"].map(key))),
  fc.tuple(fc.constant("GETDEL"), key("s")),
  fc.tuple(fc.constant("EXPIRE"), key("s"), fc.integer({ min: 50_000, max: 90_000 })),
  fc.tuple(fc.constant("PEXPIRE"), key("s"), fc.constant(1)),
  fc.tuple(fc.constant("PERSIST"), fc.oneof(...["s", "l"].map(key))),
  { weight: 1, arbitrary: fc.constant(["FLUSHDB"] as const) },
) as fc.Arbitrary<Command>;

/** An end that is given to what may or may not be there can't be kept exactly: here the key is sure to be there. */
const withEnd = fc
  .constantFrom<readonly [Command, number]>(
    [["INCR", "n:0"], 1],
    [["INCR", "n:0"], 500],
    [["RPUSH", "l:0", "x"], 9_000_000],
  )
  .map(([write, ms]): Command[] => [write, ["PEXPIRE", write[1] as string, ms]]);
const commands = fc.array(
  fc.oneof({ weight: 9, arbitrary: command.map((one) => [one]) }, { weight: 1, arbitrary: withEnd }),
  {
    minLength: 1,
    maxLength: 5,
  },
);

type Step =
  | { readonly kind: "trip"; readonly commands: readonly Command[]; readonly atomic: boolean }
  | { readonly kind: "away" }
  | { readonly kind: "back"; readonly fates: readonly ("done" | "lost" | "refused")[] };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("trip" as const),
      commands: commands.map((each) => each.flat()),
      atomic: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: "away" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("back" as const),
      fates: fc.array(fc.constantFrom("done" as const, "lost" as const, "refused" as const), { maxLength: 12 }),
    }),
  },
);

async function contents(transport: Transport): Promise<Record<string, Reply>> {
  const [keys] = await transport.send([["KEYS", "*"]]);
  const found: Record<string, Reply> = {};
  for (const name of (keys as string[]).filter((each) => !each.startsWith("continuum-cache:")).sort()) {
    const read: Record<string, Command> = {
      string: ["GET", name],
      list: ["LRANGE", name, 0, -1],
      hash: ["HGETALL", name],
    };
    const [type] = await transport.send([["TYPE", name]]);
    const [value, endMs] = await transport.send([read[String(type)] as Command, ["PEXPIRETIME", name]]);
    found[name] = [Array.isArray(value) && type === "hash" ? pairs(value) : (value as Reply), endMs as Reply];
  }
  return found;
}

const pairs = (fields: readonly Reply[]): string[] =>
  fields.flatMap((name, at) => (at % 2 === 0 ? [`${String(name)}=${String(fields[at + 1])}`] : [])).sort();

describe("what an outage leaves behind", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is nothing: the primary ends up as if it had always been there", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40, size: "max" }), async (steps) => {
        const primary = switchable();
        const reference = memoryTransport();
        const transport = withFallback(primary, memoryTransport(), { healthCheckInterval: "100ms" });
        const isLocal = () => transport.status?.currentBackend === "local";
        let now: () => "done" | "lost" | "refused" = () => "done";
        primary.fate(() => now());

        for (const one of steps) {
          await vi.advanceTimersByTimeAsync(3);
          if (one.kind === "away") now = () => "refused";
          if (one.kind === "back") {
            const fates = [...one.fates];
            // While it is being told only: a caller's own trips must not be lost half-way here.
            now = () => (isLocal() ? (fates.shift() ?? "done") : "done");
            if (isLocal()) await vi.advanceTimersByTimeAsync(5_000);
            now = () => "done";
          }
          if (one.kind === "trip") {
            await transport.send(one.commands, { atomic: one.atomic });
            await reference.send(one.commands, { atomic: one.atomic });
          }
        }
        now = () => "done";
        await vi.advanceTimersByTimeAsync(2_000);
        expect(transport.status).toMatchObject({ currentBackend: "upstash", pending: 0 });
        expect(await contents(primary.store)).toEqual(await contents(reference));
        await transport.close();
      }),
      { numRuns: Number(process.env["RECOVERY_RUNS"] ?? 500) },
    );
  });
});
