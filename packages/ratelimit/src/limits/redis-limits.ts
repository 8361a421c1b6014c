import { type CallOptions, isCommandError, runScript, type Transport, TransportError } from "@continuum-cache/core";
import { type Accept, encodeAccepts } from "../algorithms/accepts.ts";
import { longestDelayMs } from "../algorithms/counter.ts";
import type { Ask } from "../ask.ts";
import type { Receipt } from "../receipt.ts";
import type { ServerClock } from "../server-clock.ts";
import { refundArguments } from "./refund-arguments.ts";
import { readVerdicts, type Verdicts } from "./verdict.ts";

/**
 * Limits as Redis keeps them. Every call rejects when Redis does not answer by its deadline: nothing answers in its
 * place.
 */
export interface RedisLimits {
  /**
   * Decides on one call. All asks are of one algorithm, and at least one.
   * @param merges - What was accepted elsewhere, for each ask: it counts before the decision.
   */
  decide(asks: readonly Ask[], merges: readonly (readonly Accept[])[], timeoutMs: number): Promise<Verdicts>;
  /** What a key holds, and the time. */
  read(key: string, timeoutMs: number): Promise<{ readonly text: string | null; readonly nowUs: number }>;
  refund(ask: Ask, receipt: Receipt, timeoutMs: number): Promise<number>;
}

export function createRedisLimits(transport: Transport, clock: ServerClock): RedisLimits {
  const within = (timeoutMs: number): CallOptions & { fallback: false } => ({ timeoutMs, fallback: false });
  const garbled = (): TransportError =>
    new TransportError("protocol", "The answer is none that a rate limit gives", { transport: transport.name });

  const ask: RedisLimits["decide"] = async (asks, merges, timeoutMs) => {
    const [first] = asks as readonly [Ask, ...Ask[]];
    const estimate = clock.estimate(Math.min(...asks.map(({ windowUs }) => windowUs)));
    const time = estimate ? [estimate.earliestUs, estimate.latestUs - estimate.earliestUs] : ["", 0];
    const words = asks.flatMap(({ windowUs, limit, cost, extra }, index) => [
      windowUs,
      limit,
      cost,
      extra,
      encodeAccepts(merges[index] ?? []),
    ]);
    const sentMs = performance.now();
    const answered = clock.asking(estimate === undefined);
    const keys = asks.map(({ key }) => key);
    const reply = await runScript(transport, first.facts.decide, keys, [...time, ...words], within(timeoutMs));
    const verdicts = readVerdicts(reply, asks.length);
    if (!verdicts) throw garbled();
    // The script may have asked for the time by itself.
    if (verdicts.nowUs !== estimate?.earliestUs) answered(verdicts.nowUs);
    // What was in use at the time that was sent may have been gone when the script ran.
    else if (verdicts.isAllowed && performance.now() - sentMs > longestDelayMs) {
      clock.doubt();
      return ask(asks, merges, timeoutMs);
    }
    return verdicts;
  };

  return {
    decide: ask,
    async read(key, timeoutMs) {
      const [text] = await transport.send([["GET", key]], within(timeoutMs));
      if (isCommandError(text)) throw text;
      if (text !== null && typeof text !== "string") throw garbled();
      return { text, nowUs: clock.now().earliestUs };
    },
    async refund(ask, receipt, timeoutMs) {
      const { keys, words } = refundArguments(ask, receipt, clock.now().earliestUs);
      return Number(await runScript(transport, ask.facts.refund, keys, words, within(timeoutMs)));
    },
  };
}
