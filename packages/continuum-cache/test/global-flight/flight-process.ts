// A process with a cache of its own that the test gives work, and kills.

import { UpstashCache } from "continuum-cache";

type ConnectionOptions = ConstructorParameters<typeof UpstashCache>[0];

/** What the test asks of a process. */
export interface FlightTask {
  readonly options: ConnectionOptions;
  readonly key: string;
  /** How many callers want the key at once. */
  readonly callers: number;
  readonly loadMs: number;
  /** The loader fails with this message. */
  readonly failure?: string;
  /** Exits without a word in the middle of its load. */
  readonly dies?: boolean;
}

/** What became of it. */
export interface FlightReport {
  readonly loads: number;
  readonly commands: number;
  readonly values: readonly unknown[];
  readonly failures: readonly string[];
  readonly tookMs: number;
}

let cache: UpstashCache | undefined;

async function work({ options, key, callers, loadMs, failure, dies }: FlightTask): Promise<FlightReport> {
  cache ??= new UpstashCache(options);
  // The connection stands before the race begins.
  await cache.get("warm");
  const before = cache.stats();
  let loads = 0;
  const loader = async () => {
    loads++;
    process.send?.({ loading: true });
    await new Promise((resolve) => setTimeout(resolve, dies ? 60_000 : loadMs));
    if (failure !== undefined) throw new Error(failure);
    return `loaded by ${process.pid}`;
  };
  const beganMs = performance.now();
  const calls = Array.from({ length: callers }, () =>
    (cache as UpstashCache).getOrSet(key, loader, { ttl: "1m", singleFlight: "global" }),
  );
  const outcomes = await Promise.allSettled(calls);
  const values = outcomes.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const failures = outcomes.flatMap((each) => (each.status === "rejected" ? [String(each.reason?.message)] : []));
  const commands = cache.stats().commands - before.commands;
  const tookMs = performance.now() - beganMs;
  return { loads, commands, values: [...new Set(values)], failures, tookMs };
}

process.on("message", (task: FlightTask) => {
  void work(task).then((report) => process.send?.({ report }));
});
process.send?.({ ready: true });
