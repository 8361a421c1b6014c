import type { TransportError } from "@continuum-cache/core";
import {
  createBackgroundTask,
  createBackoff,
  createCancellableSleep,
  hasLastingTimers,
} from "@continuum-cache/core/kit";
import { createOutbox, fullError, isTemporaryRefusal, type Outbox, type OutboxLimits } from "../shared/outbox.ts";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import type { Pushed } from "./options.ts";
import { batchLimits, type PendingPush } from "./pending-push.ts";
import type { Sender } from "./sender.ts";

/** Pushes that wait in this process until Redis answers, and the loop that sends them, in order. */
export interface PushOutbox extends Pick<Outbox<PendingPush>, "length"> {
  /** @throws TransportError when there is no room for all, or the outbox was closed; those before may wait in it. */
  keep(pushes: readonly PendingPush[], cause: TransportError | undefined): readonly Pushed[];
  /**
   * For the edge, where the loop ends with the call that started it: a call sends what waits before its own push, for
   * at most half of its time.
   */
  drainDuringCall(options: PrimaryCallOptions): Promise<void>;
  /** Tries to send what waits within this time. @returns how many pushes are left. */
  close(withinMs: number): Promise<number>;
}

export interface PushOutboxListener {
  /** A push waits now. */
  kept(id: string, pending: number): void;
  /** Redis refused a push that had waited: it is lost. */
  refused(error: Error): void;
}

export function createPushOutbox(
  client: PrimaryClient,
  limits: OutboxLimits,
  sender: Sender,
  listener: PushOutboxListener,
): PushOutbox {
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
    keep(pushes: readonly PendingPush[], cause: TransportError | undefined) {
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
    async drainDuringCall({ timeoutMs = client.timeoutMs, signal }: PrimaryCallOptions) {
      if (outbox.length === 0 || performance.now() < nextTryMs) return;
      draining.start();
      await draining.idle({ timeoutMs: timeoutMs / 2, signal });
    },
    async close(withinMs: number) {
      const timer = setTimeout(() => pauses.end(), withinMs);
      await draining.idle();
      clearTimeout(timer);
      pauses.end();
      return outbox.length;
    },
  });
}
