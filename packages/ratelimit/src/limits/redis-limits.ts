import { type CommandError, isCommandError, type Transport, TransportError } from "@continuum-cache/core";
import { afterThisTick, type Claim, createClaim, hasLastingTimers, runScript } from "@continuum-cache/core/kit";
import { longestDelayMs } from "../algorithms/counter.ts";
import type { ServerClock } from "../timing/server-clock.ts";
import type { Receipt } from "../types.ts";
import { batchArguments, type Call, type CallResult, isDecided, readBatchReply } from "./batch.ts";
import type { LimitRequest } from "./limit-request.ts";
import { refundArguments } from "./receipts.ts";

/**
 * The limits that Redis keeps. Every call rejects when Redis does not answer by its deadline: no fallback answers in
 * its place.
 */
export interface RedisLimits extends Pick<Transport, "hasCheapTrips"> {
  /**
   * Decides on a batch of calls, one after another, in one script call. All calls use one algorithm; there
   * is at least one.
   * @returns the result of each call, or the error where one of its keys can't be used.
   */
  decide(calls: readonly Call[], timeoutMs: number): Promise<(CallResult | CommandError)[]>;
  /** Reads a key, and the time. */
  read(key: string, timeoutMs: number): Promise<{ readonly text: string | null; readonly nowUs: number }>;
  refund(request: LimitRequest, receipt: Receipt, timeoutMs: number): Promise<number>;
  /**
   * Sends something behind the decisions that were sent before. While the server has yet to learn the script, the first
   * decision is sent twice, and would be overtaken: until it is answered, what comes after it waits.
   */
  inOrder<Result>(send: () => Promise<Result>): Promise<Result>;
}

/** The first decision, while it has no answer. The request that asks for it can disappear, and its claim with it. */
interface FirstDecision {
  readonly claim: Claim;
  /**
   * When the next one of those that wait may go on. Each gets a tick of its own, since resets leave by a batch of their
   * own.
   */
  turn: Promise<unknown> | undefined;
}

export function createRedisLimits(transport: Transport, clock: ServerClock): RedisLimits {
  /** Whether the server knows the script. If it forgets it, only the next call is affected. */
  let isLearnt = false;
  let first: FirstDecision | undefined;
  const mayVanish = !hasLastingTimers();
  const decideAll = createBatchDecider(transport, clock);

  const inOrder: RedisLimits["inOrder"] = (send) => {
    if (!first?.claim.isHeld) return send();
    // Where requests can disappear, each waits by timers of its own.
    const turn = (mayVanish ? undefined : first.turn) ?? first.claim.released();
    first.turn = turn.then(() => new Promise<void>(afterThisTick));
    return turn.then(() => inOrder(send));
  };

  /** Sends the decision by which the server learns the script. */
  const decideFirst: RedisLimits["decide"] = (calls, timeoutMs) => {
    const claim = createClaim({ timeoutMs });
    first = { claim, turn: undefined };
    const decided = decideAll(calls, timeoutMs);
    const answered = (isAnswer: boolean): void => {
      isLearnt ||= isAnswer;
      claim.release();
    };
    decided.then(
      () => answered(true),
      () => answered(false),
    );
    return decided;
  };

  /** Waits for the first decision. Sends nothing if the caller's own time is over by then. */
  const decideInOrder: RedisLimits["decide"] = (calls, timeoutMs) => {
    const endsMs = performance.now() + timeoutMs;
    return inOrder(async () => {
      const leftMs = Math.ceil(endsMs - performance.now());
      if (leftMs <= 0) throw lateError(transport.name, timeoutMs);
      return (isLearnt ? decideAll : decideFirst)(calls, leftMs);
    });
  };

  return {
    ...(transport.hasCheapTrips && { hasCheapTrips: true }),
    decide: (calls, timeoutMs) => (isLearnt ? decideAll : decideInOrder)(calls, timeoutMs),
    inOrder,
    async read(key, timeoutMs) {
      const [text] = await inOrder(() => transport.send([["GET", key]], { timeoutMs }));
      if (isCommandError(text)) throw text;
      if (text !== null && typeof text !== "string") throw garbledError(transport.name);
      return { text, nowUs: clock.now().earliestUs };
    },
    async refund(request, receipt, timeoutMs) {
      const { keys, words } = refundArguments(request, receipt, clock.now().earliestUs);
      return Number(
        await inOrder(() => runScript(transport, request.facts.scripts.refund, keys, words, { timeoutMs })),
      );
    },
  };
}

/** Sends batches, each as one script call where the server allows it. */
function createBatchDecider(transport: Transport, clock: ServerClock): RedisLimits["decide"] {
  /** A Redis Cluster refuses keys of different slots in one script call, so there each call is sent by itself. */
  let isCluster = false;

  /** Decides on the calls in one script call. */
  const decideTogether: RedisLimits["decide"] = async (calls, timeoutMs) => {
    const windowUs = shortestWindowUs(calls);
    const estimate = clock.estimate(windowUs);
    const time = estimate ? [estimate.earliestUs, estimate.latestUs - estimate.earliestUs] : ["", 0];
    const { keys, words } = batchArguments(calls);
    const [{ facts }] = (calls[0] as Call).requests as readonly [LimitRequest, ...LimitRequest[]];
    const sentMs = performance.now();
    const answered = clock.asking(estimate === undefined);
    const answer = await runScript(transport, facts.scripts.decide, keys, [...time, ...words], { timeoutMs });
    const reply = readBatchReply(answer, calls);
    if (!reply) throw garbledError(transport.name);
    const said = [...reply.calls];
    // The script may have read the server's time by itself.
    if (reply.estimated < calls.length) answered(reply.nowUs);
    if (performance.now() - sentMs <= longestDelayMs) return said;
    // Usage that had not expired at the time that was sent may have expired when the script ran.
    const late = [...said.keys()].filter((index) => index < reply.estimated && isAllowed(said[index]));
    if (late.length === 0) return said;
    clock.doubt();
    const again = await decideAll(
      late.map((index) => calls[index] as Call),
      timeoutMs,
    );
    for (const [nth, index] of late.entries()) said[index] = again[nth] as CallResult | CommandError;
    return said;
  };

  const decideAlone = async (call: Call, timeoutMs: number): Promise<CallResult | CommandError> => {
    try {
      return (await decideTogether([call], timeoutMs))[0] as CallResult | CommandError;
    } catch (error) {
      if (isCommandError(error)) return error;
      throw error;
    }
  };

  const decideAll: RedisLimits["decide"] = async (calls, timeoutMs) => {
    if (calls.length === 1 || !isCluster) {
      try {
        return await decideTogether(calls, timeoutMs);
      } catch (error) {
        if (calls.length === 1 || !isCommandError(error) || error.code !== "CROSSSLOT") throw error;
        isCluster = true;
      }
    }
    return Promise.all(calls.map((call) => decideAlone(call, timeoutMs)));
  };

  return decideAll;
}

const garbledError = (transport: string): TransportError =>
  new TransportError("protocol", "The answer is none that a rate limit gives", { transport });

const lateError = (transport: string, timeoutMs: number): TransportError =>
  new TransportError(
    "timeout",
    `The first decision took all of this one's ${timeoutMs} ms (look at the server and the network)`,
    { transport, delivery: "none" },
  );

const isAllowed = (said: CallResult | CommandError | undefined): boolean => isDecided(said) && said.isAllowed;

function shortestWindowUs(calls: readonly Call[]): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const { requests } of calls) for (const { windowUs } of requests) shortest = Math.min(shortest, windowUs);
  return shortest;
}
