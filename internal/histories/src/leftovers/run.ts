import { join } from "node:path";
import { type RedisServer, startRedisServer } from "@continuum-cache/conformance/servers";
import { FederationQueue } from "@continuum-cache/federation-queue";
import type { Rules, Violation } from "../checking/rules.ts";
import { untilSeen } from "../fleet/patience.ts";
import type { Session } from "../fleet/serve.ts";
import { createWorkerPool, type Remote, type Worker } from "../fleet/worker-pool.ts";
import { addressAt, connectTo, startGateway, type Way } from "../site/address.ts";
import { type LeftoverTask, queueOptions, timeoutMs } from "./tasks.ts";

export interface LeftoversOptions {
  readonly way: Way;
  readonly messages: number;
  readonly restarts: number;
  /** So often everything is counted, once all is done and quiet. */
  readonly counts: number;
}

/** What is on a server. */
export interface Leftovers {
  readonly keys: number;
  readonly groups: number;
  readonly consumers: number;
  /** In the streams of the queue: what is done, and not removed yet. */
  readonly entries: number;
}

/** What was there after so many messages and restarts. */
export interface LeftoversRow extends Leftovers {
  readonly messages: number;
  readonly restarts: number;
  /** Messages that were never done. */
  readonly undone: number;
}

const places = 3;
const batch = 100;
/** However many messages and restarts there were, there is no more than this. */
const most: Leftovers = {
  // The queue's streams, its delayed and its dead messages; the log's registry, and a stream and a position for each
  // instance.
  keys: 4 + 2 + 1 + 2 * places,
  groups: 4,
  consumers: 4 * places,
  // What the last batches left until their time is over.
  entries: 10,
};

/** What a queue and a log promise about what they leave in Redis. */
export const leftoversRules: Rules<readonly LeftoversRow[], Violation> = {
  bounded: {
    promise:
      "Keys, groups, consumers and entries stay below a constant, however many processes were killed and closed.",
    check: (rows) =>
      rows.filter((row) => !isBounded(row)).map((row) => ({ kind: "unbounded", detail: JSON.stringify(row) })),
  },
  finished: {
    promise: "All messages are worked on, whichever processes were killed.",
    check: (rows) =>
      rows.filter(({ undone }) => undone > 0).map((row) => ({ kind: "unfinished", detail: JSON.stringify(row) })),
  },
};

interface Place {
  readonly worker: Worker<LeftoverTask, Session>;
  readonly session: Remote<Session>;
}

/** Pushes messages while workers are killed and closed in turns, and counts what is left over, again and again. */
export async function runLeftovers({ way, messages, restarts, counts }: LeftoversOptions): Promise<LeftoversRow[]> {
  const redis = await startRedisServer();
  const gateway = await startGateway(way, redis.url);
  const address = addressAt(way, gateway?.port ?? redis.port);
  const pool = createWorkerPool<LeftoverTask, Session>(join(import.meta.dirname, "worker-process"));
  const transport = connectTo(address, timeoutMs);
  const queue = new FederationQueue<number>({ transport }, queueOptions);
  const workers: Place[] = [];
  const rows: LeftoversRow[] = [];
  const done = { pushed: 0, restarted: 0 };

  const start = async (place: number): Promise<void> => {
    const worker = await pool.take();
    workers[place] = { worker, session: await worker.open({ process: `place-${place}`, address }) };
  };
  const restart = async (): Promise<void> => {
    const place = done.restarted % places;
    const { worker, session } = workers[place] as Place;
    if (done.restarted % 2 === 0) await worker.kill();
    else {
      await session.call("stop");
      pool.giveBack(worker);
    }
    done.restarted++;
    await start(place);
  };
  const push = async (count: number): Promise<void> => {
    const events = Array.from({ length: count }, () => ({ event: done.pushed++ }));
    for (const one of await queue.pushMany(events)) {
      if (one.pending) throw new Error("Expected the server to answer, and it did not");
    }
  };
  /** Workers are away now and then, so what waits is bounded. @returns what is left when nothing moves any more. */
  const room = async (bound: number): Promise<number> => {
    const { depth, inFlight, delayed } = await untilSeen(
      () => queue.stats(),
      (stats) => stats.depth + stats.inFlight + stats.delayed <= bound,
    );
    return Math.max(0, depth + inFlight + delayed - bound);
  };
  const count = async (): Promise<void> => {
    const undone = await room(0);
    const found = await untilSeen(() => countLeftovers(redis), isBounded, { everyMs: 100 });
    rows.push({ messages: done.pushed, restarts: done.restarted, undone, ...found });
  };

  try {
    await Promise.all(Array.from({ length: places }, (_, place) => start(place)));
    for (let nth = 1; nth <= counts; nth++) {
      const [untilPushed, untilRestarted] = [(messages * nth) / counts, (restarts * nth) / counts];
      // Both at the same time: a killed process has something to lose.
      const pushing = (async () => {
        while (done.pushed < untilPushed) {
          await push(Math.min(batch, Math.ceil(untilPushed - done.pushed)));
          if (done.pushed % (10 * batch) === 0) await room(5 * batch);
        }
      })();
      const restarting = (async () => {
        while (done.restarted < untilRestarted) await restart();
      })();
      await Promise.all([pushing, restarting]);
      await count();
    }
    return rows;
  } finally {
    await pool.close();
    await queue.close();
    await transport.close();
    await gateway?.close();
    await redis.close();
  }
}

/** Whether there is a constant number of everything. */
function isBounded({ keys, groups, consumers, entries }: Leftovers): boolean {
  return keys <= most.keys && groups <= most.groups && consumers <= most.consumers && entries <= most.entries;
}

async function countLeftovers(redis: RedisServer): Promise<Leftovers> {
  const keys = (await redis.command("KEYS", "*")) as readonly string[];
  let [groups, consumers, entries] = [0, 0, 0];
  for (const key of keys) {
    if (!key.startsWith("fed:queue:") || (await redis.command("TYPE", key)) !== "stream") continue;
    entries += Number(await redis.command("XLEN", key));
    const found = (await redis.command("XINFO", "GROUPS", key)) as readonly (readonly unknown[])[];
    groups += found.length;
    for (const group of found) consumers += Number(group[group.indexOf("consumers") + 1]);
  }
  return { keys: keys.length, groups, consumers, entries };
}
