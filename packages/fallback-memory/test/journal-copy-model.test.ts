import type { Command } from "@continuum-cache/core";
import { compileGlob } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { JournalCopy } from "../src/journal/journal-copy.ts";
import { decodeRecord, encodeRecord, type JournalRecord } from "../src/journal/journal-record.ts";
import { createOutageJournal, type OutageJournal, type Replay } from "../src/journal/outage-journal.ts";
import { restoreJournal } from "../src/journal/restore.ts";
import type { WriteContext } from "../src/journal/write-context.ts";

const nowMs = 1_000_000;

/** A journal of the writes that a memory accepts. */
function journaling(onRecord: (record: JournalRecord) => void) {
  const memory = memoryTransport({ clock: { now: () => nowMs } });
  let parts = 0;
  let noting: WriteContext | undefined;
  const journal: OutageJournal = createOutageJournal({
    bounds: { maxEntries: Number.MAX_SAFE_INTEGER, maxBytes: Number.MAX_SAFE_INTEGER },
    lastSeen: () => undefined,
    newId: () => `part ${parts++}`,
    onInheritedEnd: () => {},
    onRecord,
  });
  memory.onWrite((write) => void (noting && journal.record(write, noting)));
  const write = (command: Command, as?: WriteContext): void => {
    noting = as;
    // The memory has run the command by the time `send` returns.
    void memory.send([command]);
    noting = undefined;
  };
  return { journal, write };
}

/** All batches that a journal would tell the primary from now on, as text. */
function batchesOf(journal: OutageJournal): string[] {
  const batches: string[] = [];
  for (let part = journal.begin("next"); part; part = journal.begin("next")) {
    const rest = part.next(Number.POSITIVE_INFINITY);
    for (const batch of rest) batches.push(JSON.stringify(batch, comparable));
    journal.confirm(rest.length);
  }
  return batches;
}

/** Which batch counts a mutation may differ; and JSON has no infinity. */
function comparable(name: string, value: unknown): unknown {
  if (name === "mutations") return undefined;
  return value === Number.POSITIVE_INFINITY ? "never" : value;
}

type Step =
  | { readonly kind: "write"; readonly command: Command }
  | { readonly kind: "invalidate"; readonly glob: string; readonly isNew: boolean }
  | { readonly kind: "forget"; readonly key: string }
  | { readonly kind: "copy" | "begin" }
  | { readonly kind: "more" | "confirm"; readonly count: number };

/** Each key holds one type, and no list is popped empty: what an earlier part has left in the memory is in no copy. */
const names = ["s", "n", "l", "h"].flatMap((prefix) => [0, 1, 2].map((id) => `${prefix}:${id}`));
const key = fc.constantFrom(...names);
const keyOf = (prefix: string) => fc.constantFrom(...names.filter((name) => name.startsWith(prefix)));
const item = fc.integer({ min: 0, max: 99 }).map((number) => `v${number}`);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(fc.constant("SET"), keyOf("s"), item),
  fc.tuple(fc.constant("DEL"), key, key),
  fc.tuple(fc.constant("INCRBY"), keyOf("n"), fc.integer({ min: 1, max: 9 })),
  fc.tuple(fc.constant("RPUSH"), keyOf("l"), item),
  fc.tuple(fc.constant("HSET"), keyOf("h"), fc.constant("f"), item),
  fc.tuple(fc.constant("PERSIST"), key),
  fc.tuple(fc.constant("PEXPIREAT"), key, fc.constant(nowMs + 5_000)),
);
const kind = <Kind extends Step["kind"]>(name: Kind) => ({ kind: fc.constant(name) });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ ...kind("write"), command }) },
    {
      weight: 2,
      arbitrary: fc.record({
        ...kind("invalidate"),
        glob: fc.constantFrom("*", "?:[01]", "s:*", "l:2"),
        isNew: fc.boolean(),
      }),
    },
    { weight: 2, arbitrary: fc.record({ ...kind("forget"), key }) },
    { weight: 3, arbitrary: fc.record(kind("copy")) },
    { weight: 8, arbitrary: fc.record({ ...kind("more"), count: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 2, arbitrary: fc.record(kind("begin")) },
    { weight: 3, arbitrary: fc.record({ ...kind("confirm"), count: fc.integer({ min: 1, max: 2 }) }) },
  ),
  { minLength: 10, maxLength: 80, size: "max" },
);

it("restores the same batches from a copy and later records, with writes between its steps", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (program) => {
      let copy: JournalCopy | undefined;
      let isMore = false;
      let part: Replay | undefined;
      let since: Uint8Array[] = [];
      const { journal, write } = journaling((record) => since.push(encodeRecord(record)));
      for (const one of program) {
        switch (one.kind) {
          case "write":
            write(one.command, { delivery: "none" });
            break;
          case "invalidate":
            if (journal.invalidate(one.glob, nowMs, one.isNew)) {
              for (const name of names.filter(compileGlob(one.glob))) write(["DEL", name]);
            }
            break;
          case "forget":
            write(["DEL", one.key]);
            journal.forget(one.key);
            break;
          case "copy":
            copy = journal.beginCopy();
            isMore = true;
            since = [];
            break;
          case "more":
            if (isMore) isMore = copy?.more(one.count) ?? false;
            break;
          case "begin":
            part = journal.begin();
            break;
          case "confirm":
            // The last batch stays: a journal keeps no memory of a part that is done, on which later writes may depend.
            if (part && part.next(one.count + 1).length > one.count) journal.confirm(one.count);
            break;
        }
      }
      while (isMore) isMore = copy?.more(3) ?? false;
      const records = [...(copy?.encoded() ?? []), ...since].map(decodeRecord);

      const again = journaling(() => {});
      await restoreJournal(records, again.journal, nowMs, again.write);
      expect(batchesOf(again.journal)).toEqual(batchesOf(journal));
    }),
    runs(200),
  );
});
