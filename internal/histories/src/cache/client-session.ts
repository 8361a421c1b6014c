import { setTimeout as sleep } from "node:timers/promises";
import { type Cache, isTransportError } from "@continuum-cache/core";
import type { StallMeter } from "../checking/stalls.ts";
import { untilSeen } from "../fleet/patience.ts";
import type { Session, TaskBase } from "../fleet/serve.ts";
import type { Way } from "../site/address.ts";
import { watchStatus } from "./client-status.ts";
import { type Call, type ClientLog, type Effect, nowUs } from "./history.ts";
import { intended, type Operation, perform, tripsOf } from "./operation.ts";
import { createProgram, keySpaceOf } from "./program.ts";

/** How a client reaches its server, through whatever disturbs it. */
export interface Connection {
  readonly kind: Way;
  /** On the loopback interface. */
  readonly port: number;
  /** How long a call may take. */
  readonly timeoutMs: number;
  /** How often an absent primary is asked whether it is back. */
  readonly healthCheckMs: number;
  /** How many more attempts an unreachable server gets. */
  readonly retries: number;
  /** The most entries of the client's journal; its own default when absent. */
  readonly journalEntries?: number;
}

/** Makes the cache under test: with a fallback, and a codec that stores a string as JSON. */
export type MakeClient = (connection: Connection) => Cache;

/** What one client of a history is to do. */
export interface ClientTask extends TaskBase {
  readonly seed: number;
  readonly client: number;
  readonly prefix: string;
  /** Whether it works on many keys. */
  readonly manyKeys: boolean;
  readonly connection: Connection;
}

/** One client at work, step by step as its history says. */
export interface ClientSession extends Session {
  /** Runs the program until `settle`. */
  go(): void;
  /** All is well again: goes on for a moment, then waits until everything is told, or nothing moves any more. */
  settle(): Promise<void>;
  /** Reads everything once more, closes, and returns all that was recorded. */
  stop(): Promise<ClientLog>;
}

/** So many calls of one client may be under way at once. */
const mostInFlight = 6;
/** How long the program goes on when the client is back, and how long at most when it is not. */
const [afterReturnMs, beforeReturnMs] = [15, 250];

/**
 * The fallback keeps a fifth of a call's time, in whole milliseconds, for the local memory; a transport sends nothing
 * in the last 10 ms of its own.
 */
const hasUsed = (tookMs: number, timeoutMs: number): boolean => tookMs >= timeoutMs - Math.ceil(timeoutMs / 5) - 10;

/** Resolves when the client has reached its server, or does not get there. */
export async function startSession(
  task: ClientTask,
  makeClient: MakeClient,
  stalls: StallMeter,
): Promise<ClientSession> {
  const { seed, client, prefix, manyKeys, connection } = task;
  const begunMs = stalls.now();
  const cache = makeClient(connection);
  const status = watchStatus(cache);
  const calls: Call[] = [];
  const inFlight = new Set<Promise<void>>();
  let made = 0;
  let isOver = false;
  let settled = false;
  let running: Promise<void> = Promise.resolve();

  const call = async (operation: Operation): Promise<void> => {
    const index = made++;
    const stalledMs = stalls.totalMs();
    const begun = status.note();
    const startUs = nowUs();
    const loads: Effect[] = [];
    let effects: readonly Effect[];
    let outcome: Call["outcome"] = "ok";
    try {
      effects = await perform(cache, operation, loads);
    } catch (error) {
      effects = [...intended(operation), ...loads];
      const tookMs = (nowUs() - startUs) / 1_000;
      outcome = {
        error: describe(error),
        ranOut: hasUsed(tookMs, connection.timeoutMs) && isOwnDelay(error, operation),
      };
    }
    const ended = status.note();
    calls.push({
      client,
      index,
      operation: operation.name,
      effects,
      startUs,
      endUs: nowUs(),
      outcome,
      insists: operation.insists ?? false,
      backends: [begun.backend, ended.backend],
      wavered: begun.changes !== ended.changes,
      pending: ended.pending,
      allowedMs: tripsOf(operation) * connection.timeoutMs + loaderMsOf(operation),
      stalledMs: stalls.totalMs() - stalledMs,
    });
  };

  const begin = (operation: Operation): Promise<void> => {
    const done = call(operation).finally(() => inFlight.delete(done));
    inFlight.add(done);
    return done;
  };

  const run = async (): Promise<void> => {
    for (const { pauseMs, awaits, operation } of createProgram(prefix, seed, client, manyKeys)) {
      if (pauseMs > 0) await sleep(pauseMs);
      if (isOver) return;
      const done = begin(operation);
      if (awaits) await done;
      while (inFlight.size >= mostInFlight) await Promise.race(inFlight);
    }
  };

  const isSettled = (): boolean => cache.currentBackend === "upstash" && cache.pending === 0;
  /** Resolves to whether everything is told; not when nothing moves any more. */
  const untilSettled = async (): Promise<boolean> => {
    const look = (): readonly unknown[] => [cache.currentBackend, cache.pending];
    await untilSeen(look, isSettled, { everyMs: 2 });
    return isSettled();
  };

  await cache.ping();
  await untilSettled();
  return {
    go() {
      running = run();
    },
    async settle() {
      const returnsByMs = performance.now() + beforeReturnMs;
      while (!isSettled() && performance.now() < returnsByMs) await sleep(2);
      await sleep(afterReturnMs);
      isOver = true;
      await running;
      await Promise.all(inFlight);
      settled = await untilSettled();
      status.note();
    },
    async stop() {
      const { families, lists } = keySpaceOf(prefix, manyKeys);
      await begin({ name: "getMany", keys: families.flatMap(({ keys }) => keys) });
      for (const key of lists) await begin({ name: "lrange", key });
      await cache.close();
      status.stop();
      calls.sort((left, right) => left.index - right.index);
      const { statuses, changes } = status;
      return { client, calls, statuses, changes, longestStallMs: stalls.longestMsSince(begunMs), settled };
    },
  };
}

const loaderMsOf = (operation: Operation): number => (operation.name === "getOrSet" ? operation.loaderMs : 0);

/** That a call waited for its turn, or got only a part done, is no failure of the server. */
function isOwnDelay(error: unknown, { name }: Operation): boolean {
  if (!isTransportError(error) || error.kind !== "timeout") return false;
  return error.queued === true || (name === "deletePattern" && error.transport === "cache");
}

function describe(error: unknown): string {
  if (isTransportError(error)) return `TransportError ${error.kind}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
