import type { Reply, Transport } from "@continuum-cache/core";
import { defineScript, runScript, type Script } from "@continuum-cache/core/kit";
import { describeTwoFaces, type TwoFaces } from "@continuum-cache/fixtures";
import fc from "fast-check";
import { algorithms } from "../../src/algorithms/algorithms.ts";
import { batchArguments, type Call, type CallResult, readBatchReply } from "../../src/limits/batch.ts";
import type { LimitRequest } from "../../src/limits/limit-request.ts";
import type { Algorithm } from "../../src/types.ts";

// For any requests at any times, Lua on Redis and TypeScript on memory answer the same and leave the same.

type Step =
  | {
      kind: "decide";
      stepUs: number;
      span: { us: number; share: number };
      calls: { requests: { key: number; limit: number; cost: number }[]; admissions: Made[] }[];
    }
  | { kind: "refund"; stepUs: number; nth: number; cost: number };
interface Made {
  agoUs: number;
  cost: number;
  isOurs: boolean;
}

const windowUs = 100_000_000;
const limits = [1, 3, 10, 70, 500, 2_000, 2_001, 50_000];
const stepUs = fc.oneof(
  fc.integer({ min: -2_000, max: 2_000 }),
  fc.integer({ min: 0, max: 30_000_000 }),
  fc.constantFrom(windowUs, windowUs - 1, 3 * windowUs),
);
const costOf = (limit: number) =>
  fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: limit }));
const request = fc
  .record({ key: fc.integer({ min: 0, max: 2 }), limit: fc.constantFrom(...limits) })
  .chain(({ key, limit }) => costOf(limit).map((cost) => ({ key, limit, cost })));
const made = fc.record({
  agoUs: fc.integer({ min: -1_000, max: windowUs + 1_000 }),
  cost: fc.integer({ min: 1, max: 100 }),
  isOurs: fc.boolean(),
});
/** How inexact the time of a decision is, and where in between the server's clock stands. */
const span = fc.record({
  us: fc.oneof(fc.constant(0), fc.nat(5_000), fc.nat(20_000_000)),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});
/** Under up to three limits, sometimes with something to merge. */
const call = fc.record({
  requests: fc.uniqueArray(request, { minLength: 1, maxLength: 3, selector: ({ key }) => key }),
  admissions: fc.oneof(
    { weight: 6, arbitrary: fc.constant<Made[]>([]) },
    { weight: 1, arbitrary: fc.array(made, { maxLength: 6 }) },
  ),
});
/** Mostly alone, sometimes several of one tick, and sometimes many that are alike. */
const calls = fc.oneof(
  { weight: 4, arbitrary: fc.array(call, { minLength: 1, maxLength: 1 }) },
  { weight: 2, arbitrary: fc.array(call, { minLength: 2, maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(call, fc.integer({ min: 2, max: 50 })).map(([one, times]) => Array(times).fill(one)),
  },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("decide" as const),
      stepUs,
      span,
      calls,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("refund" as const),
      stepUs,
      nth: fc.nat(20),
      cost: fc.integer({ min: 1, max: 90 }),
    }),
  },
);

/** The same script on a clock that the test sets: the last two arguments are what TIME answers. */
function withClock({ name, lua, memory }: Script): Script {
  return defineScript({
    name: `${name}-with-clock`,
    keys: "any",
    lua: lua.replace('redis.call("TIME")', "{ ARGV[#ARGV - 1], ARGV[#ARGV] }"),
    memory: ({ call, keys, args }) =>
      memory({
        call: (command, ...words) => (command === "TIME" ? args.slice(-2).map(String) : call(command, ...words)),
        keys,
        args: args.slice(0, -2),
      }),
  });
}
const scripts = Object.fromEntries(
  Object.entries(algorithms).map(
    ([
      name,
      {
        scripts: { decide },
      },
    ]) => [name, withClock(decide)],
  ),
) as Record<Algorithm, Script>;

const askOf = (
  algorithm: Algorithm,
  { key, limit, cost }: { key: number; limit: number; cost: number },
): LimitRequest => {
  const facts = algorithms[algorithm];
  const extra = facts.extra(windowUs, limit, limit);
  return { key: `k${key}`, algorithm, facts, scope: "", windowUs, limit, capacity: limit, extra, cost };
};

/** Everything that was answered, and what the keys hold after each step. */
async function run(transport: Transport, algorithm: Algorithm, steps: readonly Step[]): Promise<Reply[]> {
  const {
    extra,
    scripts: { refund },
  } = algorithms[algorithm];
  const told: Reply[] = [];
  const receipts: { key: string; limit: number; at: number; born: number }[] = [];
  let nowUs = 1_795_000_000_000_000;
  let bornUs = 0;
  for (const each of steps) {
    nowUs += each.stepUs;
    if (each.kind === "decide") {
      const batch = each.calls.map(({ requests, admissions }): Call => {
        const merged = admissions.map(({ agoUs, cost, isOurs }) => ({
          bornUs: isOurs ? bornUs : 0,
          atUs: nowUs - agoUs,
          cost,
        }));
        return { requests: requests.map((one) => askOf(algorithm, one)), merges: [merged] };
      });
      const { keys, words } = batchArguments(batch);
      const serverUs = nowUs + Math.floor(each.span.us * each.span.share);
      const clock = [Math.floor(serverUs / 1e6), serverUs % 1e6];
      const args = [nowUs, each.span.us, ...words, ...clock];
      const reply = await runScript(transport, scripts[algorithm], keys, args);
      told.push(reply);
      for (const [nth, said] of (readBatchReply(reply, batch)?.calls ?? []).entries()) {
        const { requests } = batch[nth] as Call;
        for (const [index, { chargedUs, bornUs: born }] of (said as CallResult).results.entries()) {
          const { key, limit } = requests[index] as LimitRequest;
          bornUs = born;
          receipts.push({ key, limit, at: chargedUs, born });
        }
      }
    } else {
      const receipt = receipts.at(-1 - each.nth);
      if (!receipt) continue;
      const { key, limit, at, born } = receipt;
      told.push(
        await runScript(
          transport,
          refund,
          [key, `used:${at}:${each.cost}`],
          [
            nowUs,
            windowUs,
            limit,
            extra(windowUs, limit, limit),
            at,
            each.cost,
            60_000,
            each.cost % 2 === 0 ? 0 : born,
          ],
        ),
      );
    }
    told.push(...(await transport.send(["k0", "k1", "k2"].map((key) => ["GET", key]))));
  }
  return told;
}

const cases = (Object.keys(algorithms) as Algorithm[]).map((algorithm): [string, TwoFaces<Step>] => [
  algorithm,
  { step, maxSteps: 40, runs: 40, play: (transport, steps) => run(transport, algorithm, steps) },
]);

describeTwoFaces("the scripts of a limit", Object.fromEntries(cases));
