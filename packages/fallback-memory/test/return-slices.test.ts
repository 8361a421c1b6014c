import { setImmediate as turn } from "node:timers/promises";
import type { Transport } from "@continuum-cache/core";
import { maxSliceSteps, systemClock } from "@continuum-cache/core/kit";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { expect, it } from "vitest";
import { createGate } from "../src/failover/gate.ts";
import { createPace } from "../src/failover/pace.ts";
import { createOutageJournal, type OutageJournal, type Replay } from "../src/journal/outage-journal.ts";
import { createLastSeenValues } from "../src/last-seen/last-seen-values.ts";
import { recover } from "../src/recovery/recovery.ts";
import { overridden } from "./overridden.ts";

const keys = 20_000;

/**
 * What a recovery does with so many keys in some turn of the event loop: makes a request of them, sends it, takes
 * note of the reply.
 */
interface Step {
  readonly turn: number;
  readonly keys: number;
}

async function pendingSets(): Promise<OutageJournal> {
  const known = createLastSeenValues({ maxEntries: 1, maxBytes: 1_000, clock: systemClock, nextNumber: () => 1 });
  const journal = createOutageJournal({
    bounds: { maxEntries: keys, maxBytes: 2 ** 30 },
    lastSeen: (key) => known.latest(key),
    newId: () => "id",
    onInheritedEnd() {},
    onRecord() {},
  });
  const memory = memoryTransport();
  memory.onWrite((write) => journal.record(write, { delivery: "none" }));
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
  const note = (count: number): void => {
    steps.push({ turn: now, keys: count });
  };
  const journal = await pendingSets();
  let pending = keys;
  const watched = (replay: Replay): Replay => ({
    prepare: (most) => replay.prepare(most),
    next: (most) =>
      replay.next(most).map((batch) => {
        if (batch.kind !== "set") return batch;
        const { items } = batch;
        let isMade = false;
        return Object.defineProperty({ ...batch }, "items", {
          get() {
            if (!isMade) note(items.length);
            isMade = true;
            return items;
          },
        });
      }),
  });
  const watchedJournal: OutageJournal = overridden(journal, {
    begin(id?: string) {
      const replay = journal.begin(id);
      return replay && watched(replay);
    },
    confirm(batches: number) {
      const confirmed = journal.confirm(batches);
      pending -= confirmed;
      note(confirmed);
      return confirmed;
    },
  });
  const store = memoryTransport();
  const primary: Transport = {
    ...store,
    async send(commands, options) {
      note(commands.reduce((sum, [, , count]) => sum + Number(count), 0));
      // No reply comes in the turn of its request.
      await turn();
      return store.send(commands, options);
    },
  };
  await recover(
    { isCurrent: () => true, addToRecovery() {} },
    {
      primary,
      journal: watchedJournal,
      lastSeen: createLastSeenValues({ maxEntries: keys, maxBytes: 2 ** 30, clock: systemClock, nextNumber: () => 1 }),
      gate: createGate(),
      pace: createPace(),
      clock: systemClock,
      onFailure({ error }) {
        throw error;
      },
      sent: async () => {},
      persisted: async () => {},
    },
  );
  isOver = true;
  await turns;
  expect(pending).toBe(0);
  expect(await store.send([["DBSIZE"]])).toEqual([keys]);
  return steps;
}

it("a return from an outage handles a bounded number of keys in one turn of the event loop", async () => {
  const steps = await recorded();
  const inTurn = new Map<number, number>();
  for (const step of steps) inTurn.set(step.turn, (inTurn.get(step.turn) ?? 0) + step.keys);
  expect(steps.reduce((sum, step) => sum + step.keys, 0)).toBe(3 * keys);
  expect(Math.max(...inTurn.values())).toBeLessThanOrEqual(maxSliceSteps);
});
