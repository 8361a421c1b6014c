import { CommandError, type Reply, type Script } from "@continuum-cache/core";
import { createLru } from "@continuum-cache/core/kit";
import type { Accept } from "../algorithms/accepts.ts";
import type { Receipt } from "../types.ts";
import type { Ask } from "./ask.ts";
import { batchArguments, readBatchReply, type Verdicts } from "./batch.ts";
import { refundArguments } from "./refund-arguments.ts";

/** Limits as this process keeps them while Redis is away: the same scripts, on a small store of its own. */
export interface LocalLimits {
  /** @param seeds - What a key that is new here begins with, for each ask. */
  decide(asks: readonly Ask[], seeds: readonly (readonly Accept[])[], nowUs: number): Verdicts;
  /** Takes back what a decision has charged. */
  take(ask: Ask, chargedUs: number, nowUs: number): void;
  refund(ask: Ask, receipt: Receipt, nowUs: number): number;
  has(key: string): boolean;
  delete(key: string): void;
}

interface Stored {
  readonly text: string;
  readonly expiresAtUs: number;
}

export function createLocalLimits(maxKeys: number): LocalLimits {
  const store = createLru<Stored>({ maxEntries: maxKeys });

  const textAt = (key: string, nowUs: number): string | null => {
    const stored = store.get(key);
    if (!stored || stored.expiresAtUs > nowUs) return stored?.text ?? null;
    store.delete(key);
    return null;
  };

  const run = (script: Script, keys: readonly string[], words: readonly (string | number)[], nowUs: number): Reply => {
    const call = (name: string, ...args: unknown[]): Reply => {
      const [key, text, ...how] = args.map(String) as [string, string, ...string[]];
      if (name === "GET") return textAt(key, nowUs);
      if (name !== "SET") throw new CommandError(`ERR unknown command '${name}'`);
      if (how.includes("NX") && textAt(key, nowUs) !== null) return null;
      store.set(key, { text, expiresAtUs: nowUs + Number(how.at(-1)) * 1_000 });
      return "OK";
    };
    return script.memory({ call, keys, args: words.map(String) });
  };

  return {
    decide(asks, seeds, nowUs) {
      const [first] = asks as readonly [Ask, ...Ask[]];
      const merges = asks.map(({ key }, index) => (textAt(key, nowUs) === null ? (seeds[index] ?? []) : []));
      const calls = [{ asks, merges }];
      const { keys, words } = batchArguments(calls);
      return readBatchReply(run(first.facts.scripts.decide, keys, [nowUs, 0, ...words], nowUs), calls)
        ?.calls[0] as Verdicts;
    },
    take({ key, facts, windowUs, limit, extra, cost }, chargedUs, nowUs) {
      const text = textAt(key, nowUs);
      const state = facts.counter.open(text, nowUs, { windowUs, limit, extra, spanUs: 0 });
      if (text === null || !state) return;
      state.giveBack(chargedUs, cost);
      store.set(key, { text: state.text(), expiresAtUs: nowUs + state.ttlMs() * 1_000 });
    },
    refund(ask, receipt, nowUs) {
      const { keys, words } = refundArguments(ask, receipt, nowUs);
      return Number(run(ask.facts.scripts.refund, keys, words, nowUs));
    },
    has: (key) => store.peek(key) !== undefined,
    delete: (key) => void store.delete(key),
  };
}
