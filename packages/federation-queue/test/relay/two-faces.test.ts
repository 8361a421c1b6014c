import { type Argument, isCommandError, type Reply, type Transport } from "@continuum-cache/core";
import { runScript, type Script } from "@continuum-cache/core/kit";
import { describeTwoFaces } from "@continuum-cache/fixtures";
import fc from "fast-check";
import { tombstoneScript } from "../../src/federation/tombstones.ts";
import { applyScript, putScript } from "../../src/federation/value-sync.ts";
import { copyScript, registerScript } from "../../src/relay/scripts.ts";

// Random calls: Lua on Redis and TypeScript on the memory return the same, and leave the same data.

const nat = (max: number) => fc.nat({ max });
/** Ids that parse as numbers in a different order than as text. */
const id = fc
  .tuple(
    fc.constantFrom("1", "2", "9", "10", "9007199254740989", "9007199254740990"),
    fc.constantFrom("1", "2", "9", "10", "11"),
  )
  .map(([ms, seq]) => `${ms}-${seq}`);
const idOrNone = fc.oneof({ weight: 1, arbitrary: fc.constant("0-0") }, { weight: 3, arbitrary: id });

type Run =
  | { script: Script; keys: readonly string[]; args: readonly Argument[] }
  | { command: readonly [string, ...Argument[]] };

const copy: fc.Arbitrary<Run> = fc
  .record({
    after: idOrNone,
    floor: fc.constantFrom("", "", "2"),
    finish: fc.oneof(fc.constant(""), id),
    entries: fc.array(fc.tuple(id, fc.array(fc.constantFrom("f", "", "é"), { minLength: 1, maxLength: 2 })), {
      maxLength: 4,
    }),
  })
  .map(({ after, floor, finish, entries }) => ({
    script: copyScript,
    keys: ["stream"],
    args: [
      after,
      floor,
      finish,
      ...entries.flatMap(([one, words]) => [one, 2 * words.length, ...words.flatMap((word) => ["k", word])]),
    ],
  }));
const register: fc.Arbitrary<Run> = fc
  .record({ since: nat(4), last: fc.constantFrom("0-0", "1-1", "5-3", "2-7") })
  .map(({ since, last }) => ({ script: registerScript, keys: ["registry"], args: ["o", since, last] }));
const held: fc.Arbitrary<Run> = fc
  .constantFrom("p 2 99999999999999 1-1", "- 3 0 2-2", "none of ours", "- 0 0 0-0")
  .map((value) => ({ command: ["HSET", "registry", "o", value] }));
const farMs = 9_000_000_000_000;
const apply: fc.Arbitrary<Run> = fc
  .array(
    fc.record({
      key: nat(1),
      kind: fc.constantFrom("set", "delete", "drop"),
      at: nat(6),
      value: fc.constantFrom("", "v", "w"),
      end: fc.constantFrom("", farMs, 1_000),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .chain((changes) => nat(2).map((tie) => ({ changes, tie })))
  .map(({ changes, tie }) => ({
    script: applyScript,
    keys: changes.flatMap(({ key }) => [`key${key}`, `clock${key}`]),
    args: [tie, 3_600_000, ...changes.flatMap(({ kind, at, value, end }) => [kind, at, value, end])],
  }));
/** A timestamp of the far future, so that the time of this test does not matter. */
const put: fc.Arbitrary<Run> = fc
  .array(
    fc.record({ key: nat(1), kind: fc.constantFrom("set", "keep", "delete"), ttl: fc.constantFrom("", 3_600_000) }),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((changes) => ({
    script: putScript,
    keys: changes.flatMap(({ key }) => [`key${key}`, `clock${key}`]),
    args: [1, 3_600_000, farMs * 900, ...changes.flatMap(({ kind, ttl }) => [kind, "p", ttl])],
  }));
const mark: fc.Arbitrary<Run> = fc
  .tuple(fc.constantFrom("a*", "b*"), nat(4), nat(2))
  .map(([glob, at, tie]) => ({ script: tombstoneScript, keys: ["marks"], args: [glob, at, tie, 3_600_000] }));
const spoil: fc.Arbitrary<Run> = fc.constantFrom(
  { command: ["DEL", "stream"] as const },
  { command: ["XTRIM", "stream", "MAXLEN", 1] as const },
  { command: ["SET", "clock0", "none of ours"] as const },
  { command: ["SET", "key1", "plain"] as const },
  { command: ["DEL", "key0", "clock0", "clock1"] as const },
);

const step = fc.oneof(
  { weight: 6, arbitrary: copy },
  { weight: 2, arbitrary: register },
  { weight: 1, arbitrary: held },
  { weight: 6, arbitrary: apply },
  { weight: 3, arbitrary: put },
  { weight: 2, arbitrary: mark },
  { weight: 1, arbitrary: spoil },
);

const timeless = (reply: unknown): unknown => {
  if (Array.isArray(reply)) return reply.map(timeless);
  if (isCommandError(reply)) return `refused: ${reply.code}`;
  // An expiry is the time of the script, which may fall into the next millisecond, plus the time to live.
  const isFar = typeof reply === "string" && Math.abs(Number(reply) - farMs) <= 1_000;
  if (isFar) return "far";
  return typeof reply === "string" ? reply.replace(/\b1[6-9]\d{11}\b/g, "soon") : reply;
};

async function perform(transport: Transport, one: Run): Promise<unknown> {
  if ("command" in one) return transport.send([one.command]);
  const answer = await runScript(transport, one.script, one.keys, one.args).catch((error: unknown): Reply => {
    if (isCommandError(error)) return error;
    throw error;
  });
  // "MINID ~" leaves to each server how much it trims: this trims the rest in both.
  if (one.script === copyScript && one.args[1] !== "")
    await transport.send([["XTRIM", "stream", "MINID", String(one.args[1])]]);
  return answer;
}

async function left(transport: Transport): Promise<unknown> {
  const [entries, info, registry, marks, ...rest] = await transport.send([
    ["XRANGE", "stream", "-", "+"],
    ["XINFO", "STREAM", "stream"],
    ["HGETALL", "registry"],
    ["HGETALL", "marks"],
    ["MGET", "key0", "key1", "clock0", "clock1"],
  ]);
  const words = Array.isArray(info) ? (info as readonly Reply[]) : [];
  const ttls = await transport.send(["key0", "key1", "clock0", "clock1", "marks"].map((key) => ["TTL", key]));
  const isTimed = ttls.map((ttl) => Math.sign(Number(ttl)));
  return timeless([
    entries ?? null,
    words[words.indexOf("last-generated-id") + 1] ?? null,
    registry,
    marks,
    rest,
    isTimed,
  ]);
}

/** After each step: what was answered, and what is left. */
async function play(transport: Transport, steps: readonly Run[]): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const one of steps) seen.push(timeless(await perform(transport, one)), await left(transport));
  return seen;
}

describeTwoFaces("the scripts of relays and federations", {
  "copies, registries and marks": { step, maxSteps: 30, runs: 50, play },
});
