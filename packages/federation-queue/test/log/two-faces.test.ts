import {
  type Argument,
  isCommandError,
  type Reply,
  runScript,
  type Script,
  type Transport,
} from "@continuum-cache/core";
import { describeTwoFaces } from "@continuum-cache/fixtures";
import fc from "fast-check";
import { expect } from "vitest";
import { appendScript } from "../../src/log/append-script.ts";
import { holdScript } from "../../src/log/hold-script.ts";
import { releaseScript } from "../../src/log/release-script.ts";

// Whatever happens to a name and its stream: Lua on Redis and TypeScript on the memory answer the same and leave the same.

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
/** The ids of one history, and of another that is later. */
const idOf = (seq: number, skew: number): string => (seq < 1 ? "0-0" : `${1 + Math.floor(seq / 3) + skew}-${seq}`);
/** Over already when it begins, or far away: nothing depends on how fast this runs. */
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

/** Times of now are the same, whenever that is. */
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
      return call(holdScript, keys, ["a", me, one.lease, one.mayTake ? 1 : 0, one.known, one.retention]);
    case "append": {
      const after = lastSeq - one.back;
      const events = Array.from({ length: one.count }, (_, at) => [idOf(after + 1 + at, one.skew), `e${at}`]);
      const args = ["a", me, idOf(after, one.skew), one.floor, one.lease, ...events.flat()];
      const answer = await call(appendScript, keys, args);
      // "About" is for each to decide: then what is too old goes in both.
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

const answers = new Set<string>();

/** After each step: what was answered, and what is left. */
async function play(transport: Transport, steps: readonly Step[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const one of steps) {
    const answer = timeless(await apply(transport, one, await lastSeqOf(transport)));
    if (Array.isArray(answer)) answers.add(`${one.do} ${String(answer[0])}`);
    seen.push(answer, await left(transport));
  }
  return seen;
}

const reached = ["hold held", "hold taken", "append appended", "append lost", "append behind"];

describeTwoFaces("the scripts of a log", {
  "names and streams": {
    ...{ step, maxSteps: 40, runs: 60, play },
    checkReach: () => expect([...answers]).toEqual(expect.arrayContaining(reached)),
  },
});
