import { setTimeout as sleep } from "node:timers/promises";
import { createRandom, type Random } from "@continuum-cache/conformance/servers";
import { isOriginTakenError, type LogEntry, SyncLog } from "@continuum-cache/federation-queue";
import type { RecordFile } from "../fleet/record-file.ts";
import type { Work } from "../fleet/serve-worker.ts";
import { textOf } from "../queue/message.ts";
import { connectTo } from "../site/connect.ts";
import type { AppendRecord, LogRecord } from "./record.ts";
import type { LogNote, LogTask } from "./tasks.ts";

interface EventData {
  readonly name: string;
  readonly text: string;
}

const lanes = 2;
const patienceMs = 30_000;

/** Appends on some lanes and follows all others, loop after loop, until it is told to stop; writes down what it is told. */
export function memberWork(task: LogTask, records: RecordFile<LogRecord>, tell: (kind: string) => void): Work<LogNote> {
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
  const event = (name: "repaired" | "reset" | "error", count: number): void =>
    records.write({ kind: "event", process, name, count, atMs: Date.now() });
  log.on("repaired", ({ count }) => event("repaired", count));
  log.on("reset", () => event("reset", 1));
  log.on("error", () => event("error", 1));

  let count = 0;
  let isOver = false;
  let isDraining = false;
  const ending = new AbortController();
  const stopped = new Promise<void>((resolve) => ending.signal.addEventListener("abort", () => resolve()));

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
      // Who may not wait is told at once that the dead process has the name still.
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

  const commit = async (entry: LogEntry<EventData>): Promise<void> => {
    const { origin, seq } = entry;
    const startMs = Date.now();
    const outcome = await entry.commit().then(
      () => "done" as const,
      () => "failed" as const,
    );
    records.write({
      kind: "commit",
      process,
      reader: instanceId,
      origin,
      seq,
      startMs,
      endMs: Date.now(),
      outcome,
    });
  };
  /** One loop, up to its end, or to some event. */
  const loop = async (session: number, random: Random): Promise<void> => {
    const who = { process, reader: instanceId, session } as const;
    records.write({ kind: "open", ...who, atMs: Date.now() });
    const underWay = new Set<Promise<void>>();
    const resync = (gap: { origin: string; missed: number; fromSeq: number; toSeq: number; reason: string }): void => {
      const { origin, missed, fromSeq, toSeq, reason } = gap;
      records.write({ kind: "gap", ...who, origin, missed, fromSeq, toSeq, reason, atMs: Date.now() });
    };
    const last = new Map<string, LogEntry<EventData>>();
    for await (const entry of log.follow({ signal: ending.signal, resync, batch: random.pick([1, 10, 100]) })) {
      const { origin, seq, atMs: stampMs } = entry;
      const { name, text } = entry.event;
      const isAltered = text !== textOf(name);
      const where = { origin, seq, stampMs, name, atMs: Date.now() };
      records.write({ kind: "entry", ...who, ...where, ...(isAltered && { isAltered }) });
      last.set(origin, entry);
      if (isDraining || random.chance(0.5)) {
        const committing = commit(entry).finally(() => underWay.delete(committing));
        underWay.add(committing);
        if (random.chance(0.05)) await committing;
      }
      if (random.chance(0.01)) await sleep(random.between(0, 20));
      // Whoever leaves a loop goes on with the next where it has committed.
      if (!isDraining && random.chance(0.002)) break;
    }
    await Promise.all(underWay);
  };
  const follow = async (): Promise<void> => {
    const random = createRandom(seed, lanes);
    for (let session = 0; !isOver; session++) await loop(session, random);
  };

  const running = Promise.all(Array.from({ length: lanes }, run));
  const following = follow();
  const drain = async (): Promise<void> => {
    isDraining = true;
    await running;
    // The last events tell the others what they have not committed.
    await append(1, true);
    const endsMs = performance.now() + patienceMs;
    while (log.pending > 0 && performance.now() < endsMs) await sleep(20);
    records.write({ kind: "drain", process, pending: log.pending, atMs: Date.now() });
  };
  const behind = async (): Promise<number> => {
    const { origins } = await log.stats();
    return Object.values(origins).reduce((sum, origin) => sum + origin.behind, 0);
  };
  const catchUp = async (): Promise<void> => {
    const endsMs = performance.now() + patienceMs;
    let left = Number.POSITIVE_INFINITY;
    while (left > 0 && performance.now() < endsMs) {
      left = await behind().catch(() => Number.POSITIVE_INFINITY);
      await sleep(50);
    }
    const known = Number.isFinite(left) ? left : -1;
    records.write({ kind: "caught-up", process, reader: instanceId, behind: known });
  };
  const done = async (): Promise<void> => {
    await stopped;
    isOver = true;
    await running;
    const startMs = Date.now();
    await log.close();
    const deadlineMs = setup.timeoutMs * 2;
    records.write({ kind: "call", process, what: "close", startMs, endMs: Date.now(), deadlineMs });
    await following;
    await transport.close();
  };
  return {
    hear({ kind }) {
      if (kind === "drain") void drain().then(() => tell("drained"));
      else if (kind === "catch-up") void catchUp().then(() => tell("caught-up"));
      else ending.abort();
    },
    done: done(),
  };
}
