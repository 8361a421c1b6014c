import { type Claim, createClaim, createMutex, longestTimerMs } from "@continuum-cache/core/kit";
import type { Link } from "../shared/link.ts";
import { forgetConsumersScript } from "./forget-consumers-script.ts";
import type { Note } from "./notes.ts";
import type { QueueSettings } from "./settings.ts";
import { readTended, tendScript } from "./tend-script.ts";
import type { DeathReason } from "./types.ts";

/**
 * Puts the queue in order now and then: after half a lease while anything is going on, seldom while all is quiet. Whoever has
 * done it tells the others, who put theirs off.
 */
export interface Tender {
  /** Does it now if it is due; for those who pull without a worker. @throws TransportError when no answer came. */
  ensure(): Promise<void>;
  /** Goes on by itself, until the function that it returns is called. */
  start(): () => void;
  /** Something is going on. */
  stir(): void;
  /** What others say; undefined: something may have been missed. */
  hear(note: Exclude<Note, { kind: "work" }> | undefined): void;
  close(): Promise<void>;
}

/** Told of what has happened. */
export interface TenderListener {
  tell(note: Note): void;
  recovered(count: number): void;
  died(id: string, reason: DeathReason): void;
  failed(error: unknown): void;
}

const batch = 100;
/** While all is quiet it is done once in so many polls, in case that a ring was lost. */
const quietPolls = 10;
/** What is done, or dead for longer than it is kept, is not looked for each time. */
const trimEveryMs = 300_000;
/** Consumers that have been silent for so many leases are those of processes that are no more. */
const forgottenLeases = 10;
/** Who begins to work looks for them, and then once in so many such times. */
const forgetEvery = 10;
/** After a failure. */
const firstPauseMs = 250;
const longestPauseMs = 5_000;
/** Many may wait for the same message to be due: one of them should be the first, by this at most. */
const spreadMs = 200;
const lostTimerMs = 5_000;

export function createTender(
  link: Link,
  settings: QueueSettings,
  isHeard: () => boolean,
  listener: TenderListener,
): Tender {
  const { keys, leaseMs, pollMs } = settings;
  const streams = keys.sources.map(({ key }) => key);
  const halfMs = leaseMs / 2;
  const silentMs = Math.ceil(forgottenLeases * Math.max(leaseMs, pollMs / 4));
  let running = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAtMs = Number.POSITIVE_INFINITY;
  let ticking: Claim | undefined;
  const turns = createMutex();
  let lastMs = Number.NEGATIVE_INFINITY;
  let isStirred = true;
  /** When something was last known to go on. A note may tell of what was before it. */
  let stirredMs = performance.now();
  let dueAtMs = Number.POSITIVE_INFINITY;
  /** Who has failed is left alone for a while. */
  let notBeforeMs = 0;
  let pauseMs = firstPauseMs;
  /** When such consumers were last looked for. Who only pulls, and may be short-lived, does not begin with it. */
  let forgotMs = performance.now();
  let trimmedMs = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  const jittered = (ms: number): number => ms * (0.75 + 0.2 * Math.random());
  const knowDue = (inMs: number | undefined): void => {
    if (inMs === undefined) return;
    const lateMs = Math.random() * Math.min(spreadMs, inMs / 4);
    dueAtMs = Math.min(dueAtMs, performance.now() + inMs + lateMs);
  };

  const tendOnce = async (): Promise<boolean> => {
    const beganMs = performance.now();
    const { maxCrashes, retentionMs, repairMs } = settings;
    const isTrimming = beganMs - trimmedMs >= Math.min(trimEveryMs, quietPolls * pollMs, retentionMs / 8);
    if (isTrimming) trimmedMs = beganMs;
    const args = [leaseMs, maxCrashes, retentionMs, isTrimming ? repairMs : "", batch, ...keys.priorities];
    const tended = readTended(await link.run(tendScript, [keys.delayed, keys.dead, ...streams], args));
    lastMs = performance.now();
    dueAtMs = Number.POSITIVE_INFINITY;
    knowDue(tended.nextDueInMs);
    const left = tended.pending + tended.woken.length;
    isStirred = left > 0 || stirredMs >= beganMs;
    for (const name of tended.woken) listener.tell({ kind: "work", name });
    listener.tell({ kind: "tended", pending: left, nextDueInMs: tended.nextDueInMs });
    if (tended.recovered > 0) listener.recovered(tended.recovered);
    for (const { id, reason } of tended.died) listener.died(id, reason as DeathReason);
    return tended.hasMore;
  };

  const tend = async (): Promise<void> => {
    while (await tendOnce()) if (isClosed) return;
    if (performance.now() - forgotMs < forgetEvery * silentMs) return;
    await link.run(forgetConsumersScript, streams, ["", silentMs]);
    forgotMs = performance.now();
  };

  /** One at a time: a call whose turn comes when another has just done it has nothing to do. */
  const once = async (isDue: () => boolean): Promise<void> => {
    await turns.run(
      async () => {
        if (isDue() && !isClosed) await tend();
      },
      { timeoutMs: link.timeoutMs },
    );
  };
  const isOverdue = (): boolean => performance.now() - lastMs >= halfMs || performance.now() > dueAtMs;

  const nextAtMs = (): number => {
    const isAwake = isStirred || !isHeard();
    return Math.max(notBeforeMs, Math.min(lastMs + jittered(isAwake ? halfMs : quietPolls * pollMs), dueAtMs + 5));
  };
  const schedule = (): void => {
    if (running === 0 || isClosed || ticking?.isHeld) return;
    const atMs = nextAtMs();
    // A timer that is late by so much has vanished with the call that set it.
    if (timer !== undefined && timerAtMs <= atMs && performance.now() < timerAtMs + lostTimerMs) return;
    setTimer(atMs);
  };
  const setTimer = (atMs: number): void => {
    clearTimeout(timer);
    timerAtMs = atMs;
    timer = setTimeout(() => void tick(), Math.min(longestTimerMs, Math.max(0, atMs - performance.now())));
  };
  const tick = async (): Promise<void> => {
    timer = undefined;
    const own = createClaim();
    ticking = own;
    try {
      // Another process may have done it meanwhile.
      const isDue = (): boolean => nextAtMs() <= performance.now() + 5;
      if (isDue()) {
        await once(isDue);
        pauseMs = firstPauseMs;
      }
    } catch (error) {
      // One word for a whole outage is enough.
      if (pauseMs === firstPauseMs) listener.failed(error);
      notBeforeMs = performance.now() + Math.min(pauseMs, halfMs) * (0.5 + Math.random());
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
    own.release();
    schedule();
  };

  return {
    async ensure() {
      if (isOverdue()) await once(isOverdue);
    },
    start() {
      if (running++ === 0) forgotMs = Number.NEGATIVE_INFINITY;
      schedule();
      let isOn = true;
      return () => {
        if (isOn) running--;
        isOn = false;
        if (running > 0) return;
        clearTimeout(timer);
        timer = undefined;
      };
    },
    stir() {
      stirredMs = performance.now();
      if (isStirred) return;
      isStirred = true;
      schedule();
    },
    hear(note) {
      if (!note) {
        stirredMs = performance.now();
        isStirred = true;
      } else if (note.kind === "delayed") knowDue(note.inMs);
      else {
        lastMs = performance.now();
        dueAtMs = Number.POSITIVE_INFINITY;
        knowDue(note.nextDueInMs);
        isStirred = note.pending > 0 || performance.now() - stirredMs < halfMs;
      }
      schedule();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await turns.idle();
    },
  };
}
