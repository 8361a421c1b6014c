import { startRedisServer } from "@continuum-cache/conformance/servers";
import { type Argument, isCommandError, type Reply, type Transport } from "@continuum-cache/core";
import { runScript, type Script } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import { tcpTransport } from "@continuum-cache/transport-tcp";
import fc from "fast-check";
import { expect, it } from "vitest";
import { appendScript } from "../../src/log/append-script.ts";
import { leaseScript, releaseScript } from "../../src/log/registry.ts";
import { closing } from "./logs.ts";

// Random calls: Lua on Redis and TypeScript on the memory return the same, and leave the same data.

const opened = closing();
const keys = ["log", "log:a"];

type Step =
  | { do: "hold"; me: number; lease: number; mayTake: boolean; known: string; retention: string }
  | { do: "append"; me: number; back: number; skew: number; count: number; floor: string; lease: string }
  | { do: "release"; me: number; known: string }
  | { do: "odd"; value: string }
  | { do: "trim"; length: number }
  | { do: "drop"; key: number }
  | { do: "spoil" };

const nat = (max: number) => fc.nat({ max });
const id = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 12 })).map(([ms, seq]) => `${ms}-${seq}`);
const idOrNone = fc.oneof({ weight: 1, arbitrary: fc.constant("0-0") }, { weight: 2, arbitrary: id });
/** The ids of one history, and of another with later times. */
const idOf = (seq: number, skew: number): string => (seq < 1 ? "0-0" : `${1 + Math.floor(seq / 3) + skew}-${seq}`);
/** Expired from the start, or far away, so that the speed of this test does not matter. */
const lease = fc.constantFrom(-60_000, 3_600_000);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("hold" as const),
      me: nat(1),
      lease,
      mayTake: fc.boolean(),
      known: idOrNone,
      retention: fc.constantFrom("", "", "3600000", "900000000000000"),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      me: nat(1),
      back: fc.constantFrom(0, 0, 0, 1, 2, 3, -1),
      skew: fc.constantFrom(0, 0, 0, 1),
      count: fc.integer({ min: 1, max: 5 }),
      floor: fc.constantFrom("", "2", "5"),
      lease: fc.oneof(fc.constant(""), lease.map(String)),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("release" as const), me: nat(1), known: idOrNone }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("odd" as const),
      value: fc.constantFrom("", "none of ours", "- 0 0 0-0", "p0 1 2 3-4", "p1 1 99999999999999 3-4 5"),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("trim" as const), length: nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), key: nat(1) }) },
  { weight: 1, arbitrary: fc.constant({ do: "spoil" as const }) },
);

/** A history with each outcome of holding and appending. */
const everyOutcome: readonly Step[] = [
  { do: "hold", me: 0, lease: 3_600_000, mayTake: true, known: "0-0", retention: "" },
  { do: "append", me: 0, back: 0, skew: 0, count: 3, floor: "", lease: "" },
  { do: "append", me: 0, back: -1, skew: 0, count: 1, floor: "", lease: "" },
  { do: "append", me: 1, back: 0, skew: 0, count: 1, floor: "", lease: "" },
  { do: "hold", me: 1, lease: 3_600_000, mayTake: true, known: "0-0", retention: "" },
];

/** Replaces the current time in a reply, so that replies can be compared. */
const timeless = (reply: unknown): unknown => {
  if (Array.isArray(reply)) return reply.map(timeless);
  if (isCommandError(reply)) return `refused: ${reply.code}`;
  return typeof reply === "string" ? reply.replace(/\b1[6-9]\d{11}\b/g, "now") : reply;
};

async function apply(transport: Transport, one: Step, lastSeq: number): Promise<unknown> {
  const call = async (script: Script, names: readonly string[], args: readonly Argument[]): Promise<Reply> =>
    runScript(transport, script, names, args).catch((error: unknown) => {
      if (isCommandError(error)) return error;
      throw error;
    });
  const me = "me" in one ? `p${one.me}` : "";
  switch (one.do) {
    case "hold":
      return call(leaseScript, keys, ["a", me, one.lease, one.mayTake ? 1 : 0, one.known, one.retention]);
    case "append": {
      const after = lastSeq - one.back;
      const events = Array.from({ length: one.count }, (_, at) => [idOf(after + 1 + at, one.skew), `e${at}`]);
      const args = ["a", me, idOf(after, one.skew), one.floor, one.lease, ...events.flat()];
      const answer = await call(appendScript, keys, args);
      // "MINID ~" leaves to each server how much it trims: this trims the rest in both.
      if (one.floor !== "") await transport.send([["XTRIM", "log:a", "MINID", one.floor]]);
      return answer;
    }
    case "release":
      return call(releaseScript, ["log"], ["a", me, one.known]);
    case "odd":
      return transport.send([["HSET", "log", "a", one.value]]);
    case "trim":
      return transport.send([["XTRIM", "log:a", "MAXLEN", one.length]]);
    case "drop":
      return transport.send([["DEL", keys[one.key] ?? ""]]);
    case "spoil":
      return transport.send([
        ["DEL", "log:a"],
        ["SET", "log:a", "x"],
      ]);
  }
}

const lastSeqOf = async (transport: Transport): Promise<number> => {
  const [entries] = await transport.send([["XREVRANGE", "log:a", "+", "-", "COUNT", 1]]);
  const [last] = Array.isArray(entries) ? (entries as readonly (readonly [string])[]) : [];
  return last ? Number(last[0].split("-")[1]) : 0;
};

const left = async (transport: Transport): Promise<unknown> => {
  const [registry, entries, info] = await transport.send([
    ["HGETALL", "log"],
    ["XRANGE", "log:a", "-", "+"],
    ["XINFO", "STREAM", "log:a"],
  ]);
  const words = Array.isArray(info) ? (info as readonly Reply[]) : [];
  return timeless([registry, entries ?? null, words[words.indexOf("last-generated-id") + 1] ?? null]);
};

it("the scripts of a log do the same on Redis and in memory", async () => {
  const redis = opened(await startRedisServer());
  const there = opened(tcpTransport({ url: redis.url }));
  const here = opened(memoryTransport());
  const answers = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      for (const transport of [there, here]) await transport.send([["FLUSHALL"]]);
      for (const one of steps) {
        const last = await lastSeqOf(there);
        const [answer, expected] = [await apply(here, one, last), await apply(there, one, last)].map(timeless);
        if (Array.isArray(expected)) answers.add(`${one.do} ${String(expected[0])}`);
        expect(answer).toEqual(expected);
        expect(await left(here)).toEqual(await left(there));
      }
    }),
    { ...runs(60, 60), examples: [[[...everyOutcome]]] },
  );
  // All of these outcomes have happened.
  for (const each of ["hold held", "hold conflict", "append appended", "append lost", "append behind"]) {
    expect([...answers]).toContain(each);
  }
});
