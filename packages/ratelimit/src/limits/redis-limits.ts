import { type CallOptions, isCommandError, runScript, type Transport, TransportError } from "@continuum-cache/core";
import { type Accept, encodeAccepts } from "../algorithms/accepts.ts";
import type { Ask } from "../ask.ts";
import type { Receipt } from "../receipt.ts";
import type { ServerClock } from "../server-clock.ts";
import { refundArguments } from "./refund-arguments.ts";
import { readVerdicts, type Verdicts } from "./verdict.ts";

/** Limits as Redis keeps them. Every call rejects when Redis does not answer: nobody answers in its place. */
export interface RedisLimits {
  /**
   * Decides on one call. All asks are of one algorithm, and at least one.
   * @param merges - What was accepted elsewhere, for each ask: it counts before the decision.
   */
  decide(asks: readonly Ask[], merges: readonly (readonly Accept[])[]): Promise<Verdicts>;
  /** What a key holds, and the time. */
  read(key: string): Promise<{ readonly text: string | null; readonly nowUs: number }>;
  refund(ask: Ask, receipt: Receipt): Promise<number>;
}

/** @param budgetMs - How long a decision may take in all. */
export function createRedisLimits(transport: Transport, clock: ServerClock, budgetMs: number): RedisLimits {
  // A little is left for whoever answers instead.
  const options = (): CallOptions & { fallback: false } => ({
    timeoutMs: Math.max(1, budgetMs - Math.min(25, Math.ceil(budgetMs / 10))),
    fallback: false,
  });
  const garbled = (): TransportError =>
    new TransportError("protocol", "The answer is none that a rate limit gives", { transport: transport.name });

  return {
    async decide(asks, merges) {
      const [first] = asks as readonly [Ask, ...Ask[]];
      const answered = clock.isDue() ? clock.asking() : undefined;
      let serverUs: number | undefined;
      try {
        const words = asks.flatMap(({ windowUs, limit, cost, extra }, index) => [
          windowUs,
          limit,
          cost,
          extra,
          encodeAccepts(merges[index] ?? []),
        ]);
        const reply = await runScript(
          transport,
          first.facts.decide,
          asks.map(({ key }) => key),
          [answered ? "" : clock.nowUs(), ...words],
          options(),
        );
        const verdicts = readVerdicts(reply, asks.length);
        if (!verdicts) throw garbled();
        serverUs = verdicts.nowUs;
        return verdicts;
      } finally {
        answered?.(serverUs);
      }
    },
    async read(key) {
      const [text] = await transport.send([["GET", key]], options());
      if (isCommandError(text)) throw text;
      if (text !== null && typeof text !== "string") throw garbled();
      return { text, nowUs: clock.nowUs() };
    },
    async refund(ask, receipt) {
      const { keys, words } = refundArguments(ask, receipt, clock.nowUs());
      return Number(await runScript(transport, ask.facts.refund, keys, words, options()));
    },
  };
}
