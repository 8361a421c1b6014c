import {
  type Claim,
  createCancellableSleep,
  createClaim,
  hasLastingTimers,
  type Restoration,
  type Topic,
} from "@continuum-cache/core/kit";
import { advance } from "../history/advance.ts";
import type { Entry } from "../history/entry.ts";
import type { Frame } from "../history/frame.ts";
import type { HistoryReader } from "../history/read-history.ts";
import type { Delivery } from "./delivery.ts";
import { createGapTracker } from "./gap-tracker.ts";
import { createLiveQueue } from "./live-queue.ts";

/**
 * Reads the history whenever a live message does not follow the last delivered one, until live messages follow again.
 */
export interface ReplayReading {
  /** Whether live messages are delivered as they are heard. */
  readonly isFollowing: boolean;
  /** Resolves when that is so, and when the reading is closed. */
  following(): Promise<void>;
  /** Begins with the newest message, unless the primary is away. */
  begin(start: Restoration): Promise<void>;
  hear(frame: Required<Frame>): void;
  lost(loss: { readonly sinceMs: number }): void;
  restored(back: Restoration): void;
  /** Reads on in place of a call that has vanished while it read. */
  takeOver(): void;
  /** Waits, unless the reading is closed. */
  pause(ms: number): Promise<unknown>;
  close(): void;
}

export interface ReplayReadingParts {
  readonly topic: Topic;
  readonly delivery: Delivery;
  readonly reader: HistoryReader;
  /** How long a read of history may take. */
  readonly timeoutMs: number;
  /** Called when the history can't be read; the reading retries until it can. */
  readonly onError: (error: unknown) => void;
}

/** Each transition makes a new object: a read that was begun in another phase compares phases, and stops. */
type Phase =
  /** The primary was not asked yet, or is not heard. */
  | { readonly is: "away" }
  | Reading
  /** Live messages are delivered as they are heard. */
  | { readonly is: "following" };

interface Reading {
  readonly is: "reading";
  /** Since when messages may be missing. */
  readonly sinceMs: number;
  /** Of the call that reads: on the edge it can vanish at any `await`. */
  readonly claim: Claim;
}

/** A live message is looked for in the history so many times before it is skipped. */
const mostLooks = 10;
/** Where no other call may wake it, a late subscriber looks this often whether the reading is over. */
const lookMs = 25;

export function createReplayReading(parts: ReplayReadingParts): ReplayReading {
  const { delivery, onError } = parts;
  const gaps = createGapTracker();
  const queue = createLiveQueue();
  const pauses = createCancellableSleep();
  const history = createHistorySteps(parts);
  const onFollowing: (() => void)[] = [];
  let phase: Phase = { is: "away" };

  const wakeAll = (): void => {
    for (const wake of onFollowing.splice(0)) wake();
  };
  const follow = (): void => {
    gaps.end({ atMs: Date.now(), degraded: false });
    phase = { is: "following" };
    wakeAll();
  };
  /** The history does not have the numbers of these messages: its end was lost, or the numbers are made up. */
  const skipQueued = (sinceMs: number): void => {
    queue.clear();
    onError(new Error("Heard messages that the history does not have: they were skipped, and reported as a gap"));
    delivery.gap({ kind: "lost" }, sinceMs);
  };

  const read = async (sinceMs = delivery.heardMs): Promise<void> => {
    if (phase.is === "reading") {
      if (phase.claim.isHeld) return;
      phase.claim.release();
    }
    const own: Reading = { is: "reading", sinceMs, claim: createClaim() };
    phase = own;
    await readUntilFollowing(own).finally(() => own.claim.release());
  };
  const readUntilFollowing = async (own: Reading): Promise<void> => {
    const { sinceMs } = own;
    const isCurrent = (): boolean => phase === own;
    if (history.isStarted && !delivery.cursor && gaps.sinceMs !== undefined) delivery.doubt(sinceMs);
    for (let attempt = 0, looks = 0; isCurrent(); attempt++) {
      try {
        if (!history.isStarted) await history.start(sinceMs, isCurrent);
        while (isCurrent() && (await history.readOn(sinceMs, isCurrent)));
        if (!isCurrent()) return;
        if (queue.drain((frame) => delivery.take(frame, true))) return follow();
        if (++looks % mostLooks === 0) skipQueued(sinceMs);
      } catch (error) {
        if (attempt === 0) onError(error);
      }
      // Until the primary answers, and has what it has published, or the stream reports that it is lost.
      if (attempt > 0) await pauses.wait(Math.random() * Math.min(1_000, 50 * 2 ** attempt), undefined);
    }
  };
  const takeOver = (): void => {
    if (phase.is === "reading" && !phase.claim.isHeld) void read(phase.sinceMs);
  };

  return {
    get isFollowing() {
      return phase.is === "following";
    },
    async following() {
      const isFollowing = (): boolean => phase.is === "following";
      if (isFollowing()) return;
      if (hasLastingTimers()) return new Promise((wake) => onFollowing.push(wake));
      while (!isFollowing() && (await pauses.wait(lookMs, undefined))) takeOver();
    },
    takeOver,
    async begin(startedAs) {
      gaps.end(startedAs);
      if (startedAs.degraded) return;
      await history.start(undefined, () => true);
      queue.drain((frame) => delivery.take(frame, true));
      if (phase.is === "away" && gaps.sinceMs === undefined) follow();
    },
    hear(frame) {
      if (phase.is === "following" && delivery.take(frame, false)) return;
      queue.push(frame);
      if (phase.is === "following") void read();
    },
    lost(loss) {
      gaps.begin(loss);
      // The history is asked again for messages that are on their way.
      queue.clear();
      phase = { is: "away" };
    },
    restored(back) {
      // The gap ends once everything was read that came meanwhile. The next break may keep that from happening.
      if (back.degraded) gaps.end(back);
      else void read(gaps.sinceMs);
    },
    pause: (ms) => pauses.wait(ms, undefined),
    close() {
      if (phase.is === "reading") phase.claim.release();
      phase = { is: "away" };
      pauses.end();
      wakeAll();
    },
  };
}

/** The steps of a reading. Each does nothing more once it is not current. */
interface HistorySteps {
  readonly isStarted: boolean;
  /** Goes to the newest message, where everything begins: before it there is nothing to follow. */
  start(sinceMs: number | undefined, isCurrent: () => boolean): Promise<void>;
  /** Reads and delivers one page. @returns whether there may be more. */
  readOn(sinceMs: number, isCurrent: () => boolean): Promise<boolean>;
}

function createHistorySteps({ topic, delivery, reader, timeoutMs }: ReplayReadingParts): HistorySteps {
  let isStarted = false;

  /**
   * The end of the history was lost: messages that were written since have old numbers. Their tags tell them from those
   * that were delivered.
   */
  const readAnew = async (sinceMs: number, isCurrent: () => boolean): Promise<boolean> => {
    const { cursor, recent } = delivery;
    const first = cursor && recent.firstOf(cursor.epoch);
    const { newest, entries, more } = first
      ? await reader.page(topic.name, first, { timeoutMs })
      : { newest: { position: await reader.newest(topic.name, { timeoutMs }) }, entries: [], more: undefined };
    if (!isCurrent()) return false;
    const news: Entry[] = entries.filter(({ position }) => recent.has(position) !== true);
    delivery.gap({ kind: "lost" }, sinceMs);
    for (const entry of news) delivery.pass(entry);
    delivery.goTo(more ?? newest?.position);
    return true;
  };

  return {
    get isStarted() {
      return isStarted;
    },
    async start(sinceMs, isCurrent) {
      const newest = await reader.newest(topic.name, { timeoutMs });
      if (!isCurrent()) return;
      delivery.goTo(newest);
      isStarted = true;
      if (sinceMs !== undefined) delivery.gap({ kind: "interrupted" }, sinceMs);
    },
    async readOn(sinceMs, isCurrent) {
      const page = await reader.page(topic.name, delivery.cursor, { timeoutMs });
      if (!isCurrent()) return false;
      const { steps, cursor: reached, isDiverged } = advance(delivery.cursor, page);
      if (isDiverged) return readAnew(sinceMs, isCurrent);
      if (steps.length > 0) delivery.reportDoubt();
      for (const step of steps) {
        if (step.kind === "entry") delivery.pass(step.entry);
        else delivery.gap(step, sinceMs);
      }
      delivery.goTo(reached);
      return page.more !== undefined;
    },
  };
}
