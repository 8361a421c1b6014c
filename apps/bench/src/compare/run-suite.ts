import { join } from "node:path";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { startChild } from "./child.ts";
import { type RunContender, type RunningContender, runInProcess } from "./run-contender.ts";
import type { Contender, Site, Slice, Suite } from "./suite.ts";

export interface RunOptions {
  readonly rounds: number;
  /** For how long each contender works in each round and scenario. */
  readonly sliceMs: number;
  /** See `Site`. */
  readonly scale: number;
  /** Rounds before the first that are not counted. @default 1 */
  readonly warmUps?: number;
  /** @default runInProcess */
  readonly run?: RunContender;
}

/** What one contender did in one scenario: a slice for each round. */
export interface Result {
  readonly scenario: string;
  readonly contender: Contender;
  readonly slices: readonly Slice[];
}

/**
 * Measures all contenders of a suite beside each other: in each round each scenario, and in each scenario each
 * contender once, in random order. What slows the machine down for a while then slows down all of them alike. A round
 * before the first is not counted: it warms up.
 */
export async function runSuite(suite: Suite, options: RunOptions): Promise<Result[]> {
  const { scale, run = runInProcess } = options;
  const closing: (() => unknown)[] = [];
  try {
    const site = await startSite(suite, scale, closing);
    const running = new Map<Contender, RunningContender>();
    for (const contender of suite.contenders) {
      const opened = await run(suite, contender, site).catch(failure(suite, contender));
      closing.unshift(() => opened.close());
      running.set(contender, opened);
    }
    return await inRounds(suite, running, options);
  } finally {
    for (const close of closing) await close();
  }
}

const token = "bench";

/** Servers of its own for each suite, so that none meets what another has left. */
async function startSite(suite: Suite, scale: number, closing: (() => unknown)[]): Promise<Site> {
  if (suite.servers === "none") return { redisUrl: "", rest: { url: "", token }, scale };
  const redis = await startRedisServer();
  closing.unshift(() => redis.close());
  if (suite.servers === "redis") return { redisUrl: redis.url, rest: { url: "", token }, scale };
  const gateway = startChild(join(import.meta.dirname, "gateway/gateway-process"));
  closing.unshift(() => gateway.end());
  const url = await gateway.ask<string>({ redisUrl: redis.url, token });
  return { redisUrl: redis.url, rest: { url, token }, scale };
}

async function inRounds(
  suite: Suite,
  running: ReadonlyMap<Contender, RunningContender>,
  { rounds, sliceMs, warmUps = 1 }: RunOptions,
): Promise<Result[]> {
  const results = suite.scenarios.flatMap((scenario) =>
    suite.contenders
      .filter((contender) => running.get(contender)?.scenarios.includes(scenario))
      .map((contender) => ({ scenario, contender, slices: [] as Slice[] })),
  );
  for (let round = suite.isExact ? 0 : -warmUps; round < (suite.isExact ? 1 : rounds); round++) {
    for (const scenario of suite.scenarios) {
      for (const { contender, slices } of shuffled(results.filter((result) => result.scenario === scenario))) {
        const slice = await running.get(contender)?.measure(scenario, sliceMs).catch(failure(suite, contender));
        if (slice && round >= 0) slices.push(slice);
      }
    }
  }
  return results;
}

const failure = (suite: Suite, contender: Contender) => (cause: unknown) => {
  throw new Error(`${contender.name} failed in the suite ${suite.name}: ${String(cause)}`, { cause });
};

function shuffled<Item>(items: readonly Item[]): Item[] {
  const rest = [...items];
  return items.map(() => rest.splice(Math.floor(Math.random() * rest.length), 1)[0] as Item);
}
