import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "@continuum-cache/conformance/servers";
import { isOriginTakenError, type LogEntry, SyncLog } from "@continuum-cache/federation-queue";
import type { EventRecord } from "../checking/records.ts";
import { textOf } from "../checking/text.ts";
import { untilSeen } from "../fleet/patience.ts";
import type { Records } from "../fleet/serve.ts";
import { connectTo } from "../site/address.ts";
import type { AppendRecord, LogRecord } from "./record.ts";
import type { LogApi, LogTask } from "./tasks.ts";

interface EventData {
  readonly name: string;
  readonly text: string;
}

const lanes = 2;

/** What a loop over the log needs. */
interface FollowOptions {
  readonly log: SyncLog<EventData>;
  readonly process: string;
  readonly reader: string;
  readonly ending: AbortSignal;
  isDraining(): boolean;
}

/** Follows the log in one loop, up to its end or to some event; commits some of the events, and all while draining. */
function createFollower(
  { log, process, reader, ending, isDraining }: FollowOptions,
  records: Records<LogRecord>,
): (session: number, random: Random) => Promise<void> {
  const commit = async (entry: LogEntry<EventData>): Promise<void> => {
    const { origin, seq } = entry;
    const startMs = Date.now();
    const outcome = await entry.commit().then(
      () => "done" as const,
      () => "failed" as const,
    );
    const what = { process, reader, origin, seq, startMs, endMs: Date.now() };
    records.write({ kind: "commit", ...what, outcome });
  };
  return async (session, random) => {
    const who = { process, reader, session } as const;
    records.write({ kind: "open", ...who, atMs: Date.now() });
    const underWay = new Set<Promise<void>>();
    const resync = (gap: { origin: string; missed: number; fromSeq: number; toSeq: number; reason: string }): void => {
      const { origin, missed, fromSeq, toSeq, reason } = gap;
      records.write({ kind: "gap", ...who, origin, missed, fromSeq, toSeq, reason, atMs: Date.now() });
    };
    for await (const entry of log.follow({ signal: ending, resync, batch: random.pick([1, 10, 100]) })) {
      const { origin, seq, atMs: stampMs } = entry;
      const { name, text } = entry.event;
      const isAltered = text !== textOf(name);
      const where = { origin, seq, stampMs, name, atMs: Date.now() };
      records.write({ kind: "entry", ...who, ...where, ...(isAltered && { isAltered }) });
      if (isDraining() || random.chance(0.5)) {
        const committing = commit(entry).finally(() => underWay.delete(committing));
        underWay.add(committing);
        if (random.chance(0.05)) await committing;
      }
      if (random.chance(0.01)) await sleep(random.between(0, 20));
      // The next loop goes on where this one has committed.
      if (!isDraining() && random.chance(0.002)) break;
    }
    await Promise.all(underWay);
  };
}

/** Appends on some lanes and follows all others, loop after loop, until it is told to stop; records what it is told. */
export function memberWork(task: LogTask, records: Records<LogRecord>): LogApi {
  const { process, instanceId, seed, perSecond, setup } = task;
  const transport = connectTo(task.address, setup.timeoutMs);
  const log = new SyncLog<EventData>(
    { transport },
    {
      instanceId,
      lease: `${setup.leaseMs}ms`,
      timeout: `${setup.timeoutMs}ms`,
      pollInterval: `${setup.pollMs}ms`,
    },
  );
  const event = (name: EventRecord["name"], count: number): void =>
    records.write({ kind: "event", process, name, count, atMs: Date.now() });
  log.on("repaired", ({ count }) => event("repaired", count));
  log.on("reset", () => event("reset", 1));
  log.on("error", () => event("error", 1));

  let count = 0;
  let isOver = false;
  let isDraining = false;
  const ending = new AbortController();

  const append = async (size: number, mayWait: boolean): Promise<void> => {
    const outs = Array.from({ length: size }, () => ({ name: `${process}/${count}`, nth: count++ }));
    const startMs = Date.now();
    const told = (at: number): Omit<AppendRecord, "outcome"> => {
      const { name = "", nth = 0 } = outs[at] ?? {};
      return { kind: "append", process, origin: instanceId, name, nth, startMs, endMs: Date.now() };
    };
    try {
      const events = outs.map(({ name }) => ({ name, text: textOf(name) }));
      const appended = await log.appendMany(events, mayWait ? {} : { fallback: false });
      for (const [at, one] of appended.entries()) {
        if (one.pending) records.write({ ...told(at), outcome: "pending" });
        else records.write({ ...told(at), outcome: "stored", seq: one.seq, stampMs: one.atMs });
      }
    } catch (error) {
      // An append that may not wait is refused at once while the dead process has the name still.
      const outcome = mayWait && isOriginTakenError(error) ? "taken" : "failed";
      for (const at of outs.keys()) records.write({ ...told(at), outcome });
    }
  };
  const run = async (_: unknown, lane: number): Promise<void> => {
    const random = createRandom(seed, lane);
    while (!isDraining && !isOver) {
      const size = random.chance(0.7) ? 1 : random.between(2, 30);
      await append(size, random.chance(0.9));
      await sleep((random.next() * 2 * lanes * size * 1_000) / perSecond);
    }
  };

  const follower = createFollower(
    { log, process, reader: instanceId, ending: ending.signal, isDraining: () => isDraining },
    records,
  );
  const follow = async (): Promise<void> => {
    const random = createRandom(seed, lanes);
    for (let session = 0; !isOver; session++) await follower(session, random);
  };

  const running = Promise.all(Array.from({ length: lanes }, run));
  const following = follow();
  const behind = async (): Promise<number> => {
    const { origins } = await log.stats();
    return Object.values(origins).reduce((sum, origin) => sum + origin.behind, 0);
  };
  return {
    async drain() {
      isDraining = true;
      await running;
      // The last events show the others what they have not committed.
      await append(1, true);
      const pending = await untilSeen(
        () => log.pending,
        (left) => left === 0,
      );
      records.write({ kind: "drain", process, pending, atMs: Date.now() });
    },
    async catchUp() {
      // A call that fails says nothing, so it is no progress.
      const left = await untilSeen(
        () => behind().catch(() => -1),
        (events) => events === 0,
        { everyMs: 50 },
      );
      records.write({ kind: "caught-up", process, reader: instanceId, behind: left });
    },
    async stop() {
      ending.abort();
      isOver = true;
      await running;
      const startMs = Date.now();
      await log.close();
      const deadlineMs = setup.timeoutMs * 2;
      records.write({ kind: "call", process, what: "close", startMs, endMs: Date.now(), deadlineMs });
      await following;
      await transport.close();
    },
  };
}
