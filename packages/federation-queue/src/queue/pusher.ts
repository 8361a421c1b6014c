import type { TransportError } from "@continuum-cache/core";
import {
  chunked,
  closedError,
  createBackgroundTask,
  createBackoff,
  createCancellableSleep,
  createTickBatch,
  deliverInHalves,
  hasLastingTimers,
  isUnanswered,
  largeBatch,
  longestTimerMs,
} from "@continuum-cache/core/kit";
import { createOutbox, fullError, isTemporaryRefusal, type OutboxLimits } from "../shared/outbox.ts";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import { createWake } from "../shared/timing.ts";
import type { Pushed } from "./options.ts";
import { batchLimits, type PendingPush } from "./pending-push.ts";
import type { PushOutcome, Sender } from "./sender.ts";
import type { QueueSettings } from "./settings.ts";

/** Pushes messages at once, or puts them into the outbox while Redis does not answer. */
export interface Pusher {
  /** How many pushes wait in this process. */
  readonly pending: number;
  /**
   * Pushes one message. Pushes of one tick with the same options share a round trip.
   *
   * @throws TransportError when no answer came and the push may not wait, or the outbox is full. CommandError when
   *   Redis refuses it.
   */
  push(push: PendingPush, options?: PushCallOptions): Promise<Pushed>;
  /** Pushes many, in order. @throws as `push` does; some of them may be in the queue then, or wait. */
  pushMany(pushes: readonly PendingPush[], options: PushCallOptions): Promise<readonly Pushed[]>;
  /** Tries to push what waits within this time. @returns how many pushes are left. */
  close(withinMs: number): Promise<number>;
}

export type PushCallOptions = PrimaryCallOptions & { readonly fallback?: boolean };

/** A push of the current tick. */
interface TickPush {
  readonly push: PendingPush;
  readonly timeoutMs: number;
  readonly mayWait: boolean;
  resolve(pushed: Pushed): void;
  reject(error: unknown): void;
}

export function createPusher(
  client: PrimaryClient,
  settings: QueueSettings,
  sender: Sender,
  listener: PushOutboxListener,
): Pusher {
  const outbox = settings.outbox && createPushOutbox(client, settings.outbox, sender, listener);
  /** On the edge: what a call has started may vanish with it, so no call sends for another. */
  const mayVanish = !hasLastingTimers();
  /** How many calls and ticks are being sent, which `close` waits for. */
  let inFlight = 0;
  const idle = createWake();
  /** How many pushes of earlier ticks have no answer yet. */
  let unanswered = 0;
  let isClosing = false;

  const ended = (): void => {
    inFlight--;
    if (isClosing && inFlight === 0) idle.wake();
  };
  const sendPart = async (
    part: readonly PendingPush[],
    options: PrimaryCallOptions,
    mayWait: boolean,
  ): Promise<readonly Pushed[]> => {
    let outcomes: readonly PushOutcome[];
    try {
      outcomes = await sender.send(part, { ...options, together: mayVanish });
    } catch (error) {
      if (!mayWait || !outbox || !isUnanswered(error)) throw error;
      return outbox.keep(part, error);
    }
    for (const outcome of outcomes) if (outcome.kind === "refused") throw outcome.error;
    return part.map((push, at) => pushedOf(push, outcomes[at]));
  };

  const sendAll: Pusher["pushMany"] = async (pushes, { fallback: mayWait = true, ...options }) => {
    const pushed: Pushed[] = [];
    inFlight++;
    try {
      for (const part of chunked(pushes, batchLimits)) {
        if (mayWait && mayVanish) await outbox?.drainDuringCall(options);
        // No push overtakes those that wait.
        const isWaiting = mayWait && outbox !== undefined && outbox.length > 0;
        pushed.push(...(isWaiting ? outbox.keep(part, undefined) : await sendPart(part, options, mayWait)));
      }
      return pushed;
    } finally {
      ended();
    }
  };

  /** Settles each push by itself. Never rejects. */
  const sendTick = async (pushes: readonly TickPush[]): Promise<void> => {
    const { timeoutMs, mayWait } = pushes[0] as TickPush;
    if (mayWait && outbox && outbox.length > 0) return keepEach(outbox, pushes, undefined);
    inFlight++;
    unanswered += pushes.length;
    let outcomes: readonly PushOutcome[];
    try {
      outcomes = await sender.send(
        pushes.map(({ push }) => push),
        { timeoutMs },
      );
    } catch (error) {
      if (mayWait && outbox && isUnanswered(error)) keepEach(outbox, pushes, error);
      else for (const { reject } of pushes) reject(error);
      ended();
      return;
    } finally {
      unanswered -= pushes.length;
    }
    const settle = (from: number, to: number): void => {
      settleEach(pushes, outcomes, from, to);
      if (to === pushes.length) ended();
    };
    if (pushes.length < largeBatch) settle(0, pushes.length);
    else deliverInHalves(client, unanswered, pushes.length, settle);
  };
  const tick = createTickBatch<TickPush>(
    {
      ...batchLimits,
      sizeOf: ({ push }) => push.bytes,
      isAlike: (one, other) => one.timeoutMs === other.timeoutMs && one.mayWait === other.mayWait,
    },
    (pushes) => void sendTick(pushes),
  );

  const pushMany: Pusher["pushMany"] = (pushes, options) => {
    if (isClosing) return Promise.reject(closedError(client.name, "queue"));
    // Earlier pushes of this tick go first.
    tick.flush();
    return sendAll(pushes, options);
  };

  return {
    get pending() {
      return outbox?.length ?? 0;
    },
    push(push, options = {}) {
      const { timeoutMs = client.timeoutMs, fallback: mayWait = true, signal } = options;
      if (signal || mayVanish) return pushMany([push], options).then(([pushed]) => pushed ?? { id: push.id });
      if (isClosing) return Promise.reject(closedError(client.name, "queue"));
      return new Promise((resolve, reject) => tick.add({ push, timeoutMs, mayWait, resolve, reject }));
    },
    pushMany,
    async close(withinMs) {
      isClosing = true;
      tick.flush();
      const endMs = performance.now() + (mayVanish ? withinMs : longestTimerMs);
      while (inFlight > 0 && performance.now() < endMs) await idle.wait(endMs - performance.now());
      return outbox ? outbox.close(withinMs) : 0;
    },
  };
}

function keepEach(outbox: PushOutbox, pushes: readonly TickPush[], cause: TransportError | undefined): void {
  for (const { push, resolve, reject } of pushes) {
    try {
      for (const kept of outbox.keep([push], cause)) resolve(kept);
    } catch (error) {
      reject(error);
    }
  }
}

function settleEach(pushes: readonly TickPush[], outcomes: readonly PushOutcome[], from: number, to: number): void {
  for (let nth = from; nth < to; nth++) {
    const { push, resolve, reject } = pushes[nth] as TickPush;
    const outcome = outcomes[nth];
    if (outcome?.kind === "refused") reject(outcome.error);
    else resolve(pushedOf(push, outcome));
  }
}

const pushedOf = ({ id }: PendingPush, outcome: PushOutcome | undefined): Pushed =>
  outcome?.kind === "duplicate" ? { id, duplicate: true } : { id };

type PushOutbox = ReturnType<typeof createPushOutbox>;

export interface PushOutboxListener {
  /** A push waits now. */
  kept(id: string, pending: number): void;
  /** Redis refused a push that had waited: it is lost. */
  refused(error: Error): void;
}

/** Pushes that wait in this process until Redis answers, and the loop that sends them, in order. */
function createPushOutbox(client: PrimaryClient, limits: OutboxLimits, sender: Sender, listener: PushOutboxListener) {
  const outbox = createOutbox<PendingPush>(limits);
  const pauses = createCancellableSleep();
  const endsWithItsCall = !hasLastingTimers();
  const backoff = createBackoff({ firstMs: 100, longestMs: 5_000 });
  /** When the loop may try again. */
  let nextTryMs = 0;
  /** The batch that is being sent. The call that sends it may vanish. */
  let trying: { readonly batch: readonly PendingPush[]; readonly startedMs: number } | undefined;

  const backOff = (): void => {
    nextTryMs = performance.now() + backoff.next();
  };
  const resetBackoff = (): void => {
    backoff.reset();
    backOff();
  };

  /**
   * Sends the first batch.
   *
   * @param isCurrent - False once another run has taken over: then this run must not remove what that one sends.
   * @returns whether the loop may go on at once.
   */
  const sendBatch = async (isCurrent: () => boolean): Promise<boolean> => {
    const batch = outbox.peek(batchLimits.items, batchLimits.size);
    const startedMs = performance.now();
    if (trying) sender.markUncertain(trying.batch, trying.startedMs);
    trying = { batch, startedMs };
    try {
      const outcomes = await sender.send(batch, {});
      if (!isCurrent()) return false;
      trying = undefined;
      // A push that Redis may accept later stays, and so do all behind it.
      const stop = outcomes.findIndex((outcome) => outcome.kind === "refused" && isTemporaryRefusal(outcome.error));
      const done = stop < 0 ? outcomes.length : stop;
      sender.markUncertain(batch.slice(done), startedMs);
      for (const outcome of outcomes.slice(0, done)) if (outcome.kind === "refused") listener.refused(outcome.error);
      outbox.remove(done);
      return stop < 0;
    } catch {
      if (isCurrent()) trying = undefined;
      return false;
    }
  };

  const draining = createBackgroundTask(async (isCurrent) => {
    while (outbox.length > 0 && isCurrent()) {
      if (!(await pauses.wait(Math.max(0, nextTryMs - performance.now()), undefined))) break;
      // Before the attempt, since the call that makes it may vanish.
      backOff();
      while (outbox.length > 0 && isCurrent() && (await sendBatch(isCurrent))) resetBackoff();
      // The next call goes on.
      if (endsWithItsCall) return;
    }
  });

  return Object.assign(outbox, {
    /** @throws TransportError when there is no room for all, or the outbox was closed; those before may wait in it. */
    keep(pushes: readonly PendingPush[], cause: TransportError | undefined): readonly Pushed[] {
      if (outbox.length === 0) resetBackoff();
      const kept: Pushed[] = [];
      for (const push of pushes) {
        if (pauses.isEnded || !outbox.add(push, push.bytes)) {
          throw fullError(client.name, pushes.length - kept.length, cause);
        }
        kept.push({ id: push.id, pending: true });
        listener.kept(push.id, outbox.length);
      }
      draining.start();
      return kept;
    },
    /**
     * For the edge, where the loop ends with the call that started it: a call sends what waits before its own push, for
     * at most half of its time.
     */
    async drainDuringCall({ timeoutMs = client.timeoutMs, signal }: PrimaryCallOptions): Promise<void> {
      if (outbox.length === 0 || performance.now() < nextTryMs) return;
      draining.start();
      await draining.idle({ timeoutMs: timeoutMs / 2, signal });
    },
    /** Tries to send what waits within this time. @returns how many pushes are left. */
    async close(withinMs: number): Promise<number> {
      const timer = setTimeout(() => pauses.end(), withinMs);
      await draining.idle();
      clearTimeout(timer);
      pauses.end();
      return outbox.length;
    },
  });
}
