import { type Claim, createCancellableSleep, createClaim, hasLastingTimers } from "@continuum-cache/core/kit";
import { advance } from "../history/advance.ts";
import type { Entry } from "../history/entry.ts";
import type { Frame } from "../history/frame.ts";
import type { HistoryReader } from "../history/read-history.ts";
import type { Topic } from "../hub/topic.ts";
import type { Restoration } from "../hub/topic-listener.ts";
import type { Delivery } from "./delivery.ts";
import { createInterruption } from "./interruption.ts";
import { createLiveQueue } from "./live-queue.ts";

/** Reads the history whenever what is heard does not go on from what was handed out, until it does again. */
export interface ReplayReading {
  /** What is handed out is handed out as it is heard. */
  readonly isFollowing: boolean;
  /** Resolves when it is so, and when it is over. */
  following(): Promise<void>;
  /** Begins with the newest message, unless the primary is away. */
  begin(start: Restoration): Promise<void>;
  hear(frame: Required<Frame>): void;
  lost(loss: { readonly sinceMs: number }): void;
  restored(back: Restoration): void;
  /** Reads on in the place of a call that has vanished while it read. */
  takeOver(): void;
  /** Waits, unless it is over. */
  pause(ms: number): Promise<unknown>;
  close(): void;
}

export interface ReplayReadingParts {
  readonly topic: Topic;
  readonly delivery: Delivery;
  readonly reader: HistoryReader;
  /** How long a read of history may take. */
  readonly timeoutMs: number;
  /** Told when the history can't be read; it is tried again until it can. */
  readonly onError: (error: unknown) => void;
}

/** So often a frame may be looked for in the history before it is given up. */
const mostLooks = 10;
/** A newcomer looks so often whether the reading is over, where no other call may wake it. */
const lookMs = 25;

export function createReplayReading({
  topic,
  delivery,
  reader,
  timeoutMs,
  onError,
}: ReplayReadingParts): ReplayReading {
  const interruption = createInterruption();
  const queue = createLiveQueue();
  const pauses = createCancellableSleep();
  const onFollowing: (() => void)[] = [];
  /** `away` until the primary was asked for the first time, and again while it is not heard. */
  let state: "away" | "reading" | "following" = "away";
  let isStarted = false;
  let turn = 0;
  /** Of the call that reads: on the edge it can vanish at any `await`. */
  let claim: Claim | undefined;
  /** Since when something may be missing that is being read. */
  let readSinceMs = 0;

  /** A read that was begun in one state has nothing to say in the next. */
  const go = (next: typeof state): void => {
    state = next;
    turn++;
  };
  const wakeAll = (): void => {
    for (const wake of onFollowing.splice(0)) wake();
  };
  const follow = (): void => {
    interruption.end({ atMs: Date.now(), degraded: false });
    go("following");
    wakeAll();
  };

  /** Before this there is nothing to go on from: the newest message is where everything begins. */
  const start = async (sinceMs: number | undefined, isCurrent = (): boolean => true): Promise<void> => {
    const newest = await reader.newest(topic.name, { timeoutMs });
    if (!isCurrent()) return;
    delivery.goTo(newest);
    isStarted = true;
    if (sinceMs !== undefined) delivery.gap({ kind: "interrupted" }, sinceMs);
  };

  /** One page further. @returns whether there may be more. */
  const readOn = async (sinceMs: number, isCurrent: () => boolean): Promise<boolean> => {
    const page = await reader.page(topic.name, delivery.cursor, { timeoutMs });
    if (!isCurrent()) return false;
    const { steps, cursor: reached, isDiverged } = advance(delivery.cursor, page);
    if (isDiverged) return readAnew(sinceMs, isCurrent);
    if (steps.length > 0) delivery.tellDoubt();
    for (const step of steps) {
      if (step.kind === "entry") delivery.pass(step.entry);
      else delivery.gap(step, sinceMs);
    }
    delivery.goTo(reached);
    return page.more !== undefined;
  };

  /** The end of the history was lost: what was written since has old numbers, and what was handed out is known by its mark. */
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

  /** What was heard under numbers that the history does not have: its end was lost, or the numbers are made up. */
  const giveUpQueued = (sinceMs: number): void => {
    queue.clear();
    onError(new Error("Heard messages that the history does not have: they were skipped, and told as a gap"));
    delivery.gap({ kind: "lost" }, sinceMs);
  };

  const read = async (sinceMs = delivery.heardMs): Promise<void> => {
    if (state === "reading" && claim?.isHeld) return;
    go("reading");
    readSinceMs = sinceMs;
    claim?.release();
    const own = createClaim();
    claim = own;
    await readUntilFollowing(sinceMs).finally(() => own.release());
  };

  const readUntilFollowing = async (sinceMs: number): Promise<void> => {
    if (isStarted && !delivery.cursor && interruption.sinceMs !== undefined) delivery.doubt(sinceMs);
    const mine = turn;
    const isCurrent = (): boolean => turn === mine;
    for (let attempt = 0, looks = 0; isCurrent(); attempt++) {
      try {
        if (!isStarted) await start(sinceMs, isCurrent);
        while (isCurrent() && (await readOn(sinceMs, isCurrent)));
        if (!isCurrent()) return;
        if (queue.drain((frame) => delivery.take(frame, true))) return follow();
        if (++looks % mostLooks === 0) giveUpQueued(sinceMs);
      } catch (error) {
        if (attempt === 0) onError(error);
      }
      // Until the primary answers, and has what it has published, or the stream says that it is gone.
      if (attempt > 0) await pauses.wait(Math.random() * Math.min(1_000, 50 * 2 ** attempt), undefined);
    }
  };

  const takeOver = (): void => {
    if (state === "reading" && !claim?.isHeld) void read(readSinceMs);
  };
  const following = async (): Promise<void> => {
    const isFollowing = (): boolean => state === "following";
    if (isFollowing()) return;
    if (hasLastingTimers()) return new Promise((wake) => onFollowing.push(wake));
    while (!isFollowing() && (await pauses.wait(lookMs, undefined))) takeOver();
  };

  return {
    get isFollowing() {
      return state === "following";
    },
    following,
    takeOver,
    async begin(startedAs) {
      interruption.end(startedAs);
      if (startedAs.degraded) return;
      await start(undefined);
      queue.drain((frame) => delivery.take(frame, true));
      if (state === "away" && interruption.sinceMs === undefined) follow();
    },
    hear(frame) {
      if (state === "following" && delivery.take(frame, false)) return;
      queue.push(frame);
      if (state === "following") void read();
    },
    lost(loss) {
      interruption.begin(loss);
      // What is on its way is asked for again.
      queue.clear();
      go("away");
    },
    restored(back) {
      // It is over when everything has been read that came meanwhile, which the next one may keep from happening.
      if (back.degraded) interruption.end(back);
      else void read(interruption.sinceMs);
    },
    pause: (ms) => pauses.wait(ms, undefined),
    close() {
      go("away");
      claim?.release();
      pauses.end();
      wakeAll();
    },
  };
}
