import { CommandError, type Reply } from "@continuum-cache/core";
import { createLru, type Script } from "@continuum-cache/core/kit";
import type { Admission } from "../algorithms/admissions.ts";
import type { Receipt } from "../types.ts";
import { batchArguments, type CallResult, readBatchReply } from "./batch.ts";
import type { LimitRequest } from "./limit-request.ts";
import { refundArguments } from "./receipts.ts";

/** The limits that this process keeps while Redis is away: the same scripts run on a small store in memory. */
export interface LocalLimits {
  /** @param initialUsage - For each request, the usage that its key begins with if the store does not have it. */
  decide(requests: readonly LimitRequest[], initialUsage: readonly (readonly Admission[])[], nowUs: number): CallResult;
  /** Takes back the charge of a decision. */
  take(request: LimitRequest, chargedUs: number, nowUs: number): void;
  refund(request: LimitRequest, receipt: Receipt, nowUs: number): number;
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
    decide(requests, initialUsage, nowUs) {
      const [first] = requests as readonly [LimitRequest, ...LimitRequest[]];
      const merges = requests.map(({ key }, index) => (textAt(key, nowUs) === null ? (initialUsage[index] ?? []) : []));
      const calls = [{ requests, merges }];
      const { keys, words } = batchArguments(calls);
      return readBatchReply(run(first.facts.scripts.decide, keys, [nowUs, 0, ...words], nowUs), calls)
        ?.calls[0] as CallResult;
    },
    take({ key, facts, windowUs, limit, extra, cost }, chargedUs, nowUs) {
      const text = textAt(key, nowUs);
      const state = facts.counter.open(text, nowUs, { windowUs, limit, extra, spanUs: 0 });
      if (text === null || !state) return;
      state.giveBack(chargedUs, cost);
      store.set(key, { text: state.text(), expiresAtUs: nowUs + state.ttlMs() * 1_000 });
    },
    refund(request, receipt, nowUs) {
      const { keys, words } = refundArguments(request, receipt, nowUs);
      return Number(run(request.facts.scripts.refund, keys, words, nowUs));
    },
    has: (key) => store.peek(key) !== undefined,
    delete: (key) => void store.delete(key),
  };
}
