import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import { closing, following, logsOn, memory, tcp, waitFor } from "./logs.ts";

// Random appends, trims and commits: each loop gets exactly what the one before left, and counts each gap.

const opened = closing();

type Step =
  | { do: "append"; count: number }
  | { do: "trim"; keep: number }
  /** A loop that reads all events, and commits so many. */
  | { do: "read"; commits: number; isNewProcess: boolean; batch: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("append" as const), count: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("trim" as const), keep: fc.nat({ max: 6 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      commits: fc.nat({ max: 12 }),
      isNewProcess: fc.boolean(),
      batch: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

it.each([
  [memory, 80],
  [tcp, 25],
] as const)("%#: a reader delivers the same events and gaps as its model", async (backend, repetitions) => {
  const { connect, open } = await logsOn<number>(backend, opened);
  const admin = connect();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
      const key = `model-${++run}-${backend.name.length}`;
      const a = open("a", { key });
      let b = open("b", { key });
      let total = 0;
      let firstKept = 1;
      /** The last number that the reader has committed; undefined before it has seen the origin. */
      let cursor: number | undefined;
      for (const one of steps) {
        if (one.do === "append") {
          await a.appendMany(Array.from({ length: one.count }, (_, at) => total + 1 + at));
          total += one.count;
        } else if (one.do === "trim" && total > 0) {
          await admin.send([["XTRIM", `${key}:a`, "MAXLEN", one.keep]]);
          firstKept = Math.max(firstKept, total - one.keep + 1);
        } else if (one.do === "read" && total > 0) {
          if (one.isNewProcess) {
            await b.close();
            b = open("b", { key });
          }
          cursor ??= firstKept - 1;
          const expected: string[] = [];
          const isGap = firstKept > cursor + 1;
          if (isGap) expected.push(`a:${cursor + 1}..${firstKept - 1} retention`);
          const from = Math.max(firstKept, cursor + 1);
          for (let seq = from; seq <= total; seq++) expected.push(`a:${seq}`);
          const reading = following(b, { batch: one.batch, commits: false });
          await waitFor(() => expect(reading.seen.length).toBeGreaterThanOrEqual(expected.length));
          if (expected.length === 0) {
            await waitFor(async () => expect((await b.stats()).origins["b"]?.isHeld).toBe(true));
            await waitFor(async () => expect(await admin.send([["HEXISTS", `${key}:cursors:b`, "a"]])).toEqual([1]));
          }
          await reading.entries[Math.min(one.commits, reading.entries.length) - 1]?.commit();
          await reading.stop();
          expect(reading.error).toBeUndefined();
          expect(reading.seen).toEqual(expected);
          expect(reading.entries.map(({ event }) => event)).toEqual(reading.entries.map(({ seq }) => seq));
          if (isGap) cursor = firstKept - 1;
          const committed = Math.min(one.commits, reading.entries.length);
          if (committed > 0) cursor = from + committed - 1;
        }
      }
      await Promise.all([a.close(), b.close()]);
    }),
    runs(repetitions),
  );
});
