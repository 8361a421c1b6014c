import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { startRedisServer } from "@continuum-cache/conformance/servers";
import { type Chapter, glanceTable, suiteChart, suiteTables } from "./report.ts";

/** Where and with what a run was made. */
export interface Circumstances {
  readonly date: string;
  readonly command: string;
  readonly machine: string;
  /** Other work on the machine before the run: processes that wanted a CPU, in the minute before. */
  readonly load: number;
  readonly versions: readonly string[];
}

/** What the numbers depend on besides Node and Redis. */
const packages = [
  "@keyv/redis",
  "@msgpack/msgpack",
  "@upstash/ratelimit",
  "@upstash/redis",
  "async-cache-dedupe",
  "bentocache",
  "bullmq",
  "cache-manager",
  "ioredis",
  "ioredis-5",
  "iovalkey",
  "keyv",
  "msgpackr",
  "rate-limiter-flexible",
  "redis",
] as const;

/** To be asked before the run begins. */
export async function circumstancesOf(args: readonly string[]): Promise<Circumstances> {
  const [load = Number.NaN] = loadavg();
  const redis = await startRedisServer();
  const info = String(await redis.command("INFO", "server"));
  await redis.close();
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    command: ["npx --yes pnpm@12.21.0 bench compare", ...args].join(" "),
    machine: [
      `${cpus().length} × ${first?.model ?? "unknown CPU"}`,
      `${Math.round(totalmem() / 2 ** 30)} GiB`,
      `${type()} ${release()}`,
    ].join(", "),
    load,
    versions: [
      `Node ${process.versions.node}`,
      `Redis ${/redis_version:(\S+)/.exec(info)?.[1]}`,
      ...packages.map(versionOf),
    ],
  };
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, "../../node_modules", name, "package.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as { readonly name: string; readonly version: string };
  return `${manifest.name} ${manifest.version}`;
}

/** `docs/benchmarks.md`: all of it comes from one run. */
export function benchmarksDocument(
  { date, command, machine, load, versions }: Circumstances,
  chapters: readonly Chapter[],
): string {
  return `# Benchmarks

The command below writes this page. Servers and clients were on one machine, everything on loopback.

- ${date}: \`${command}\`
- ${machine}; load before the run: ${load.toFixed(2)}
- ${versions.join(", ")}

**How.** Each contender is a process of its own. In each round each of them works for a slice of time, in random order, so what
slows the machine down for a while slows down all of them alike. A round before the first is not counted. Each number is the
median of all rounds, followed by the middle half of them. \`UpstashCache\` is what users get by default: the fallback to memory, the
checks and the statistics included. A bare \`Cache\`, or a feature on a bare transport, stands beside it. Calls of ours have a
deadline of two minutes in place of 5 s, so that a stall of the machine fails none: the rivals have no deadline.

**A ratio** is our number by that of the best contender of a kind in the same round; the median of all rounds, and their middle
half. Beside speeds more is better, beside times, sizes and CPU less is. The CPU is that of the contender's process. Compare ratios:
the numbers themselves move with the machine and its load.

**Commands** are what Redis ran, those within scripts included, as Upstash bills them. References are no products: a minimal RESP client,
requests written by hand and a \`Map\` show what there is to be had.

## At a glance

${glanceTable(chapters)}

${chapters.map(chapterText).join("\n\n")}
`;
}

const chapterText = ({ suite, rows }: Chapter): string =>
  [`## ${suite.title}`, suite.about, suiteChart(suite, rows), suiteTables(suite, rows)].join("\n\n");
