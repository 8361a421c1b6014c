import { setImmediate as turn } from "node:timers/promises";
import { systemClock, type Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it } from "vitest";
import { createGate } from "../src/fallback/gate.ts";
import { createKnownValues } from "../src/fallback/known-values.ts";
import { createOutageJournal, type OutageJournal, type Replay } from "../src/journal/outage-journal.ts";
import { createPace } from "../src/recovery/pace.ts";
import { recover } from "../src/recovery/recovery.ts";

const keys = 20_000;

/** What a recovery does, in order: the turn of the event loop in which it does it, and of how many keys. */
interface Step {
  readonly what: "planned" | "made" | "sent" | "noted";
  readonly turn: number;
  readonly keys: number;
}

async function pendingSets(): Promise<OutageJournal> {
  const known = createKnownValues({ maxEntries: 1, maxBytes: 1_000, clock: systemClock, nextNumber: () => 1 });
  const journal = createOutageJournal({
    bounds: { maxEntries: keys, maxBytes: 2 ** 30 },
    known: (key) => known.at(key),
    newId: () => "id",
    onInheritedEnd() {},
    onRecord() {},
  });
  const memory = memoryTransport();
  memory.onWrite((write) => journal.note(write, { fate: "none" }));
  await memory.send(Array.from({ length: keys }, (_, at) => ["SET", `key:${at}`, "1"]));
  return journal;
}

/** Tells a primary all that is pending. */
async function recorded(): Promise<readonly Step[]> {
  const steps: Step[] = [];
  let now = 0;
  let isOver = false;
  const turns = (async () => {
    for (; !isOver; now++) await turn();
  })();
  const note = (what: Step["what"], count: number): void => {
    steps.push({ what, turn: now, keys: count });
  };
  const journal = await pendingSets();
  let pending = keys;
  const watched = (replay: Replay): Replay => ({
    async prepare(most, slices) {
      note("planned", 0);
      await replay.prepare(most, slices);
    },
    next: (most) =>
      replay.next(most).map((batch) => {
        if (batch.kind !== "set") return batch;
        const { items } = batch;
        return Object.defineProperty({ ...batch }, "items", {
          get() {
            note("made", items.length);
            return items;
          },
        });
      }),
  });
  const watchedJournal: OutageJournal = Object.assign(Object.create(journal) as OutageJournal, {
    begin(id?: string) {
      const replay = journal.begin(id);
      return replay && watched(replay);
    },
    confirm(batches: number) {
      const confirmed = journal.confirm(batches);
      pending -= confirmed;
      note("noted", confirmed);
      return confirmed;
    },
  });
  const store = memoryTransport();
  const primary: Transport = {
    ...store,
    send(commands, options) {
      note(
        "sent",
        commands.reduce((sum, [, , count]) => sum + Number(count), 0),
      );
      return store.send(commands, options);
    },
  };
  await recover(
    { isCurrent: () => true, done() {} },
    {
      primary,
      journal: watchedJournal,
      known: createKnownValues({ maxEntries: keys, maxBytes: 2 ** 30, clock: systemClock, nextNumber: () => 1 }),
      gate: createGate(),
      pace: createPace(),
      clock: systemClock,
      onFailure({ error }) {
        throw error;
      },
      over: async () => {},
      settled: async () => {},
    },
  );
  isOver = true;
  await turns;
  expect(pending).toBe(0);
  expect(await store.send([["DBSIZE"]])).toEqual([keys]);
  return steps;
}

it("a return from an outage sends at most 1,600 keys in one turn of the event loop, and plans and takes note in others", async () => {
  const steps = await recorded();
  const sent = steps.filter(({ what }) => what === "sent");
  expect(sent.reduce((sum, step) => sum + step.keys, 0)).toBe(keys);
  expect(Math.max(...sent.map((step) => step.keys))).toBeLessThanOrEqual(1_600);
  for (const [at, step] of steps.entries()) {
    const before = steps[at - 1];
    if (step.what === "sent" || (step.what === "planned" && before?.what === "noted")) {
      expect(step.turn, `${before?.what}, then ${step.what}`).toBeGreaterThan(before?.turn ?? -1);
    }
  }
});
