import { isUnanswered, longestTimerMs, type Turns } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { type HoldAnswer, holdScript, readHoldAnswer } from "./hold-script.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { OriginTakenError } from "./origin-taken-error.ts";
import { releaseScript } from "./release-script.ts";
import type { LogSettings } from "./settings.ts";
import { noId, type StreamId, writeId } from "./stream-id.ts";

/** The name of this instance, which one process holds at a time: taken when it is needed, held on until it is given back. */
export interface Name {
  /** As far as this process knows. */
  readonly isHeld: boolean;
  /** Another process was seen alive under this name. */
  readonly isTaken: boolean;
  /** The random name of this process's hold: each time that it had to be taken anew, another. */
  readonly holder: string;
  /**
   * Takes the name unless it is held already; one try.
   *
   * @throws OriginTakenError when it is another's, or still a dead process's. TransportError when no answer came.
   */
  acquire(): Promise<void>;
  /** How long it makes sense to wait before another try, in ms. */
  readonly retryInMs: number;
  /** It may be free now. */
  stir(): void;
  /** An append was told who holds it. */
  lost(): void;
  /** Whether an append should prolong the lease. */
  readonly isRenewalDue: boolean;
  renewed(nowMs: number): void;
  /** The server may be another one now: looks soon. */
  suspect(): void;
  /** Looks once more, for those who go: a server that gives way says nothing to who does not ask. Tries for so long, and never rejects. */
  confirm(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** How this process's hold stands to the one before it. */
export type Continuity =
  /** It is its first, or nobody else had it in between: what this process remembers is the truth. */
  | "own"
  /** Another had it in between, and may have appended under it. */
  | "another";

/** Told of what the server says of the name's stream. Called within a turn. */
export interface NameListener {
  taken(answer: HoldAnswer & { readonly kind: "held" }, continuity: Continuity): Promise<void>;
  /** Held on; this is the stream's last id now. */
  heldOn(streamLast: StreamId): void;
  /** Another has the name: it is waited for. */
  waits(): void;
  /** The last id that this process knows. */
  readonly last: StreamId;
  failed(error: unknown): void;
}

const longestTrimPauseMs = 3_600_000;
const suspectPauseMs = 200;
const confirmPauseMs = 50;

/** @param turns - What talks of the name and its stream does so in turn. */
export function createName(
  link: PrimaryClient,
  { keys, instanceId, leaseMs, retentionMs }: LogSettings,
  clock: HybridClock,
  turns: Turns,
  listener: NameListener,
): Name {
  const stream = keys.stream(instanceId);
  const trimPauseMs = Math.min(longestTrimPauseMs, retentionMs / 10);
  let holder: string = crypto.randomUUID();
  let isHeld = false;
  let isTaken = false;
  let isClosed = false;
  /** Since when the last hold was, by the server's clock. */
  let heldSinceMs: number | undefined;
  /** What was seen of another: its hold, and until when. */
  let other: { readonly holder: string; readonly untilMs: number } | undefined;
  /** Before this no try makes sense, by `performance.now()`. */
  let nextTryMs = 0;
  let renewedMs = 0;
  let trimmedMs = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const ask = async (mayTake: boolean): Promise<HoldAnswer> => {
    const isTrimDue = performance.now() - trimmedMs >= trimPauseMs;
    const known = writeId(listener.last);
    const args = [instanceId, holder, leaseMs, mayTake ? 1 : 0, known, isTrimDue ? retentionMs : ""];
    const answer = readHoldAnswer(await link.run(holdScript, [keys.registry, stream], args));
    clock.knowServerMs(answer.nowMs);
    if (answer.kind === "held" && isTrimDue) trimmedMs = performance.now();
    return answer;
  };

  const renewed = (): void => {
    renewedMs = performance.now();
    schedule(leaseMs / 2);
  };
  const schedule = (ms: number): void => {
    clearTimeout(timer);
    if (isHeld && !isClosed) timer = setTimeout(() => void turns.take(renew), Math.min(longestTimerMs, ms));
  };
  const lose = (): void => {
    isHeld = false;
    clearTimeout(timer);
    // Whatever is still on its way under the old one is refused.
    holder = crypto.randomUUID();
    nextTryMs = 0;
  };

  /** Tells whether it is known now how the name stands. */
  const renew = async (): Promise<boolean> => {
    if (!isHeld || isClosed) return true;
    try {
      const answer = await ask(false);
      if (answer.kind === "taken") {
        lose();
        // Whoever took it has to be known before anything is appended, and what was lost with it to be repaired.
        await take();
        return true;
      }
      renewed();
      listener.heldOn(answer.streamLast);
      return true;
    } catch (error) {
      schedule(Math.max(50, (leaseMs / 8) * (0.5 + Math.random())));
      if (!isUnanswered(error)) listener.failed(error);
      return false;
    }
  };

  const take = async (): Promise<void> => {
    if (isHeld || isClosed) return;
    const answer = await ask(true);
    if (answer.kind === "taken") {
      isTaken = other?.holder === answer.holder && answer.untilMs > other.untilMs;
      other = answer;
      const leftMs = answer.untilMs - answer.nowMs;
      nextTryMs = performance.now() + Math.min(leftMs + 5, Math.max(1_000, leaseMs / 4)) + Math.random() * 20;
      listener.waits();
      throw new OriginTakenError(instanceId);
    }
    const { sinceMs: beforeMs, holder: before } = answer.before;
    // The time of a hold only grows, so one that is before ours is what a server remembers that has forgotten ours.
    const isAnothers = heldSinceMs !== undefined && before !== holder && beforeMs >= heldSinceMs;
    await listener.taken(answer, isAnothers ? "another" : "own");
    isHeld = true;
    isTaken = false;
    other = undefined;
    heldSinceMs = answer.sinceMs;
    renewed();
  };

  return {
    get isHeld() {
      return isHeld;
    },
    get isTaken() {
      return isTaken;
    },
    get holder() {
      return holder;
    },
    async acquire() {
      if (isHeld) return;
      await turns.take(async () => {
        if (other && performance.now() < nextTryMs) throw new OriginTakenError(instanceId);
        await take();
      });
    },
    get retryInMs() {
      return other ? Math.max(1, nextTryMs - performance.now()) : 0;
    },
    stir() {
      nextTryMs = 0;
    },
    lost: lose,
    get isRenewalDue() {
      return performance.now() - renewedMs > leaseMs / 3;
    },
    renewed(nowMs) {
      clock.knowServerMs(nowMs);
      renewed();
    },
    suspect() {
      if (isHeld && performance.now() - renewedMs > suspectPauseMs) schedule(suspectPauseMs * (0.5 + Math.random()));
    },
    async confirm(withinMs) {
      const endMs = performance.now() + withinMs;
      while (isHeld && performance.now() < endMs) {
        const turn = await turns.take(renew, { timeoutMs: endMs - performance.now() });
        if (turn?.result) return;
        await new Promise((resolve) => setTimeout(resolve, confirmPauseMs));
      }
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await turns.idle();
      if (!isHeld) return;
      isHeld = false;
      try {
        const { last } = listener;
        await link.run(releaseScript, [keys.registry], [instanceId, holder, writeId(last.seq > 0 ? last : noId)]);
      } catch {
        // It is free when its lease has ended.
      }
    },
  };
}
