import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type Cache, isTransportError } from "@continuum-cache/core";
import {
  type CallRecord,
  describeOutcome,
  isRightError,
  overrunMs,
  recorded,
  type Times,
  type Variant,
  wasStarved,
} from "./calls.ts";
import type { Fault } from "./faults.ts";
import type { Plan } from "./plans.ts";
import type { Stalls } from "./stalls.ts";
import type { Tally } from "./tally.ts";
import type { World } from "./world.ts";

/** One operation in one fault at one moment, with a cache of its own. */
export interface Cell {
  readonly plan: Plan;
  readonly cache: Cache;
  /** Connects, and does what has to be done before the fault. */
  connect(): Promise<void>;
  /** Calls in every way there is. Resolves when all of them have ended. */
  callAll(): Promise<void>;
  /** Looks whether what was done still holds. @param most - At how many of its keys. */
  lookAgain(when: string, most?: number): Promise<void>;
  /** The same on the server itself. */
  lookOnServer(): Promise<void>;
  /** Whether the primary answers again, and knows everything. */
  isBack(): Promise<boolean>;
}

export interface CellParts {
  readonly plan: Plan;
  readonly cache: Cache;
  readonly times: Times;
  readonly fault: Fault;
  /** Whether some calls may have met the primary before it went: then its memory knows nothing of what they did. */
  readonly divided: boolean;
  readonly world: World;
  readonly stalls: Stalls;
  readonly tally: Tally;
}

/** Of a look: the primary answers again. */
export const afterwards = "after the recovery";

/** An abort under way comes this long after the call. */
const abortAfterMs = 20;

export function createCell({ plan, cache, times, fault, divided, world, stalls, tally }: CellParts): Cell {
  const { label, operation, fallback, keyOf } = plan;
  const { trips = 1, leastShare = 1, after, onServer } = operation;
  /** Those which this process has been told of as done, and which must therefore hold. */
  const done: Variant[] = [];
  let backend = cache.currentBackend;
  let departures = 0;
  let departuresByCalls = 0;
  cache.on("backend", ({ from, to, reason }) => {
    if (from !== backend || to === from) tally.wrong(`${label}: it was ${backend}, and went from ${from} to ${to}`);
    backend = to;
    if (to === "local") departures++;
    if (to === "local" && fault.harmless) tally.wrong(`${label}: it went away: ${reason}`);
  });

  // A call whose turn did not come in time says nothing of the fault either: this process did not run.
  const mayStarve = (error: unknown): boolean =>
    operation.canStarve === true || (isTransportError(error) && error.queued === true);

  const judge = (record: CallRecord, variant: Variant): void => {
    keepTime(record);
    const { outcome } = record;
    const insists = !fallback || variant.insists === true;
    const told = `${record.label}: ${describeOutcome(record)}`;
    if ("error" in outcome) {
      const kind = isTransportError(outcome.error) ? outcome.error.kind : undefined;
      if (variant.aborts && kind === "aborted") return;
      const expected = { kinds: fault.kinds, leastMs: record.tripMs * leastShare };
      if (insists && !fault.harmless && isRightError(record, outcome.error, expected)) return;
      if (kind === "timeout" && mayStarve(outcome.error) && wasStarved(record, stalls)) tally.starved();
      else tally.exception(told);
    } else if (variant.aborts) {
      if (record.aborted) tally.wrong(`${told}, though it was aborted`);
    } else if (insists || fault.harmless ? operation.isPrimarys(outcome.value) : operation.isRight(outcome.value)) {
      done.push(variant);
    } else if (!divided || !operation.isDivided?.(outcome.value)) {
      tally.wrong(told);
    }
  };

  const keepTime = (record: CallRecord): void => {
    tally.call();
    const late = overrunMs(record, stalls);
    if (late > 0) {
      const { startMs, dueMs, endMs } = record;
      const [tookMs, dueInMs, stoodMs] = [endMs - startMs, dueMs - startMs, stalls.during(startMs, endMs)].map(
        Math.round,
      );
      const time = `took ${tookMs} ms, was due in ${dueInMs} ms (the event loop stood still for ${stoodMs} ms)`;
      tally.late(`${record.label}: ${time}; ${describeOutcome(record)}`);
    }
  };

  const call = async (variant: Variant): Promise<CallRecord> => {
    const options = variant.options?.(times) ?? {};
    const controller = new AbortController();
    const view = cache.with(variant.aborts ? { ...options, signal: controller.signal } : options);
    const tripMs = options.timeout === undefined ? times.cacheMs : times.callerMs;
    const wholeMs = options.timeout !== undefined && operation.timedAsWhole ? tripMs : tripMs * trips;
    let abortedAt: number | undefined;
    controller.signal.addEventListener("abort", () => {
      abortedAt = performance.now();
    });
    if (variant.aborts === "before") controller.abort();
    const calling = recorded(`${label}, ${variant.name}`, { tripMs, wholeMs }, () =>
      operation.call(view, keyOf(variant)),
    );
    const timer = variant.aborts === "under way" ? setTimeout(() => controller.abort(), abortAfterMs) : undefined;
    if (variant.aborts === "at once") controller.abort();
    const record = await calling;
    clearTimeout(timer);
    if (abortedAt === undefined) return record;
    return { ...record, aborted: true, dueMs: Math.min(record.dueMs, Math.max(record.startMs, abortedAt)) };
  };

  const look = async (variant: Variant, when: string): Promise<void> => {
    if (!after) return;
    const time = { tripMs: times.cacheMs, wholeMs: times.cacheMs * 3 };
    const record = await recorded(`${label}, ${variant.name}, read back ${when}`, time, () =>
      after.read(cache, keyOf(variant)),
    );
    await stalls.known();
    keepTime(record);
    const { outcome } = record;
    const told = `${record.label}: ${describeOutcome(record)}`;
    if ("error" in outcome) {
      tally.exception(told);
      return;
    }
    // On a busy machine a short timeout may send it away once more, and then it knows nothing again.
    const mayBeMissing = departures > departuresByCalls || (divided && when !== afterwards);
    const holds = after.holds(outcome.value) || (mayBeMissing && isDeepStrictEqual(outcome.value, after.missing));
    if (!holds) tally.wrong(told);
  };

  return {
    plan,
    cache,
    async connect() {
      // A short timeout may be too short on a busy machine while nothing is wrong yet.
      const patient = cache.with({ timeout: "10s" });
      const isReady = async (): Promise<boolean> => (await patient.ping()) && cache.currentBackend === "upstash";
      while (!(await isReady())) await delay(5);
      await Promise.all(plan.variants.map((variant) => operation.prepare?.(patient, keyOf(variant))));
      while (!(await isReady())) await delay(5);
    },
    async callAll() {
      const records = await Promise.all(plan.variants.map(async (variant) => [await call(variant), variant] as const));
      departuresByCalls = departures;
      await stalls.known();
      for (const [record, variant] of records) judge(record, variant);
    },
    async lookAgain(when, most = done.length) {
      await Promise.all(done.slice(0, most).map((variant) => look(variant, when)));
    },
    async lookOnServer() {
      if (!onServer) return;
      await Promise.all(
        done.map(async (variant) => {
          const replies = await world.admin.send(onServer.commands(keyOf(variant)));
          if (onServer.holds(...replies)) return;
          tally.wrong(`${label}, ${variant.name}: in the end the server holds ${JSON.stringify(replies)}`);
        }),
      );
    },
    async isBack() {
      return fallback ? cache.currentBackend === "upstash" && cache.pending === 0 : cache.ping();
    },
  };
}
