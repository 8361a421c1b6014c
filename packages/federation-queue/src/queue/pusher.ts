import type { TransportError } from "@continuum-cache/core";
import {
  chunked,
  closedError,
  createTickBatch,
  deliverInHalves,
  hasLastingTimers,
  isUnanswered,
  largeBatch,
  longestTimerMs,
} from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import { createWake } from "../shared/timing.ts";
import type { Pushed } from "./options.ts";
import { batchLimits, type PendingPush } from "./pending-push.ts";
import { createPushOutbox, type PushOutbox, type PushOutboxListener } from "./push-outbox.ts";
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
