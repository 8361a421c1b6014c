import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { FederationQueue } from "@continuum-cache/federation-queue";
import type { Finding } from "../checking/rules.ts";
import { untilSeen } from "../fleet/patience.ts";
import { createWorkerPool, type WorkerPool } from "../fleet/worker-pool.ts";
import { runFleetHistory } from "../run/fleet-history.ts";
import { connectTo } from "../site/address.ts";
import type { Site } from "../site/site.ts";
import { checkHistory } from "./check-history.ts";
import { readLedger } from "./ledger.ts";
import type { MessageData } from "./message.ts";
import type { Plan } from "./plan.ts";
import type { QueueRecord } from "./record.ts";
import type { QueueApi, QueueTask } from "./tasks.ts";
import type { Violation } from "./violation.ts";

export type QueuePool = WorkerPool<QueueTask, QueueApi>;
export const createQueuePool = (): QueuePool => createWorkerPool(join(import.meta.dirname, "worker-process"));

/** One history: its plan, everything that was recorded, and what the rules say about it. */
export interface HistoryRun {
  readonly plan: Plan;
  readonly records: readonly QueueRecord[];
  readonly verdict: Required<Finding<Violation>>;
}

/** Runs a plan on a server of its own. @param folder - Where the processes write; it is emptied. */
export async function runHistory(plan: Plan, pool: QueuePool, folder: string): Promise<HistoryRun> {
  const { setup, terms, way, durability, faults, places } = plan;
  const ledger = await startRedisServer();
  try {
    const records = await runFleetHistory<QueueTask, QueueApi, QueueRecord>({
      pool,
      folder,
      faults,
      site: { way, durability },
      taskOf({ doors }, place, nth) {
        const what = places[place];
        if (!what) throw new Error(`Expected a plan for ${place}, got none`);
        const common = { setup, seed: plan.seed * 100 + nth };
        if (what.kind === "produce") return { ...what, ...common, address: doors.a.address };
        return { ...what, ...common, address: doors.b.address, ledgerUrl: ledger.url };
      },
      async script(team, site, hurt) {
        await team.start(Object.keys(places));
        await hurt();
        await team.callAll("producer", ({ session }) => session.call("drain"));
        // What went wrong before is no excuse for what comes now.
        await sleep(1.5 * terms.leaseMs + terms.slackMs + 100);
        await team.callAll("producer", ({ session }) => session.call("flood"));
        // A producer may find as it closes that the server is another one, and push again.
        await team.stop("producer");
        for (const record of await lookAt(site, plan, ledger)) team.note(record);
        await team.stop("consumer");
        for (const effect of await readLedger(ledger.url)) team.note(effect);
      },
    });
    return { plan, records, verdict: checkHistory(records, terms) };
  } finally {
    await ledger.close();
  }
}

/** An empty look is no snapshot: what is moved meanwhile may be seen nowhere. So many in a row are needed. */
const emptyLooks = 5;

/** Waits until everything is worked on, or nothing moves any more, and reads what is left and what is dead. */
async function lookAt({ direct, servers }: Site, { setup }: Plan, ledger: RedisServer): Promise<QueueRecord[]> {
  const transport = connectTo(direct, setup.timeoutMs);
  const queue = new FederationQueue<MessageData>({ transport }, { visibilityTimeout: `${setup.leaseMs}ms` });
  let empty = 0;
  const look = async () => {
    // A machine that stands still makes a look late, which says nothing about the queue.
    const stats = await queue.stats().catch(() => undefined);
    const { depth, inFlight, delayed } = stats ?? { depth: -1, inFlight: -1, delayed: -1 };
    empty = depth === 0 && inFlight === 0 && delayed === 0 ? empty + 1 : 0;
    const applied = await ledger.command("LLEN", "effects");
    return { depth, inFlight, delayed, applied, empty };
  };
  try {
    const { depth, inFlight, delayed } = await untilSeen(look, (seen) => seen.empty === emptyLooks, { everyMs: 50 });
    const dead = await queue.dead({ max: 10_000 });
    const letters = dead.map(({ id, event, reason, failures, crashes }): QueueRecord => {
      return { kind: "dead", id: event?.name ?? id, reason, failures, crashes };
    });
    const isLeft = depth + inFlight + delayed !== 0;
    const streams = isLeft && { streams: await streamsOn(servers.primary) };
    return [{ kind: "left", depth, inFlight, delayed, ...streams }, ...letters];
  } finally {
    await queue.close();
    await transport.close();
  }
}

/** The streams as the server describes them, for the reader of the history. */
async function streamsOn(redis: RedisServer): Promise<Record<string, unknown>> {
  const keys = (await redis.command("KEYS", "fed:queue:*")) as readonly string[];
  const streams: Record<string, unknown> = {};
  for (const key of keys.filter((name) => /:(again|high|normal|low)$/.test(name))) {
    const [stream, entries] = [
      await redis.command("XINFO", "STREAM", key),
      await redis.command("XRANGE", key, "-", "+"),
    ];
    streams[key] = {
      stream,
      groups: await redis.command("XINFO", "GROUPS", key),
      last: (entries as readonly unknown[]).slice(-5),
    };
  }
  return streams;
}
