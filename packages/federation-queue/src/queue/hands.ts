import { createPauses, errorOf, isUnanswered, textOf } from "@continuum-cache/core";
import type { Lease } from "../lease.ts";
import { createWake } from "../waiting/wake.ts";
import type { Handler } from "../worker.ts";
import type { GiveBack } from "./give-back.ts";
import type { KeepAlive } from "./keep-alive.ts";
import type { Held } from "./leases.ts";
import type { Prefetch } from "./prefetch.ts";

/** Those who work on messages, and see to it that each is settled. */
export interface Hands<Event> {
  /** How many messages are being worked on. */
  readonly running: number;
  work(held: Held<Event>): void;
  /** Waits for all of them, for so long; what is unfinished then is given back. */
  finish(timeoutMs: number): Promise<void>;
}

export interface HandsOptions<Event> {
  readonly handler: Handler<Event>;
  readonly maxDurationMs: number;
  readonly keepAlive: KeepAlive;
  readonly prefetch: Prefetch;
  readonly giveBack: GiveBack;
  onFree(): void;
  /** The handler has thrown. */
  threw(lease: Lease<Event>, attempt: number, error: unknown): void;
  failed(operation: string, error: unknown, id: string): void;
}

const retryMs = 250;
/** Those who are woken need no clock. */
const longestWaitMs = 2 ** 31 - 1;

export function createHands<Event>(options: HandsOptions<Event>): Hands<Event> {
  const { handler, prefetch, keepAlive, failed } = options;
  const freed = createWake();
  const settled = createWake();
  const pauses = createPauses();
  const worked = new Set<Held<Event>>();
  /** So many are being settled, which goes on when the handler has ended already. */
  let settling = 0;

  const isSettled = (): void => {
    settling--;
    settled.wake();
  };
  /** What is done is not to be done again because Redis was away a while: it is tried as long as the lease lasts. */
  const settle = async (
    held: Held<Event>,
    operation: "ack" | "nack",
    call: () => Promise<void>,
    failure?: unknown,
  ): Promise<void> => {
    let error = failure;
    if (failure === undefined) error = await call().catch(errorOf);
    while (error !== undefined) {
      const mayRetry = isUnanswered(error) && performance.now() + retryMs < held.expiresMs;
      if (!mayRetry || !(await pauses.wait(retryMs * (0.5 + Math.random()), undefined))) break;
      error = await call().catch(errorOf);
    }
    if (error === undefined) {
      keepAlive.forget(held);
    } else {
      // Nobody works on it any more: who holds on to it keeps it from the others.
      keepAlive.drop(held);
      failed(operation, error, held.lease.id);
    }
    isSettled();
  };
  /** A promise for each message would be dear: there is one for those that fail. */
  const ack = (held: Held<Event>): void => {
    settling++;
    held.ack((error) => {
      if (error) return void settle(held, "ack", () => held.lease.ack(), error);
      keepAlive.forget(held);
      isSettled();
    });
  };
  const nack = (held: Held<Event>, reason: string): void => {
    settling++;
    void settle(held, "nack", () => held.lease.nack({ reason }));
  };

  const workOn = async (held: Held<Event>): Promise<void> => {
    const { lease } = held;
    const { attempt } = lease;
    const startedMs = performance.now();
    try {
      await handler(lease.event, lease);
      // A nack that did not get through is no reason to ack: the lease ends by itself, and the message comes again.
      if (held.isUnwanted) keepAlive.drop(held);
      else if (held.state === "held") ack(held);
    } catch (error) {
      options.threw(lease, attempt, error);
      // What it has settled before is not to be failed.
      if (held.state === "over" && !held.isLost) failed("handler", error, lease.id);
      if (held.state === "held") nack(held, textOf(error));
    } finally {
      prefetch.handlerTook(performance.now() - startedMs);
      worked.delete(held);
      freed.wake();
      options.onFree();
    }
  };

  return {
    get running() {
      return worked.size;
    },
    work(held) {
      worked.add(held);
      keepAlive.keep(held, options.maxDurationMs);
      void workOn(held);
    },
    async finish(timeoutMs) {
      const endMs = performance.now() + timeoutMs;
      while (worked.size > 0 && performance.now() < endMs) await freed.wait(endMs - performance.now());
      pauses.end();
      const unfinished = [...worked];
      await options.giveBack(unfinished);
      for (const held of unfinished) held.lose();
      while (settling > 0) await settled.wait(longestWaitMs);
    },
  };
}
