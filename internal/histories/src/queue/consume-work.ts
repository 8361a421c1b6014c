import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { isLeaseLostError, type Lease } from "@continuum-cache/federation-queue";
import type { RecordFile } from "../fleet/record-file.ts";
import type { Work } from "../fleet/serve-worker.ts";
import { openLedger } from "./ledger.ts";
import { type MessageData, textOf } from "./message.ts";
import { openQueue } from "./open-queue.ts";
import type { QueueRecord, SettleRecord } from "./record.ts";
import type { ConsumeTask, QueueNote } from "./tasks.ts";

/** Works on messages, by a worker or a loop that pulls, and writes down what it was handed and told, before it goes on. */
export function consumeWork(
  task: ConsumeTask,
  records: RecordFile<QueueRecord>,
  tell: (kind: string) => void,
): Work<QueueNote> {
  const { process, seed, by, concurrency, setup } = task;
  const { queue, close } = openQueue(task, records);
  const ledger = openLedger(task.ledgerUrl);
  const random = createRandom(seed, 7);
  let isOver = false;
  let stop = (): void => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  let count = 0;

  const settle = async (
    lease: number,
    id: string,
    what: SettleRecord["what"],
    settling: () => Promise<void>,
  ): Promise<void> => {
    const startMs = Date.now();
    let outcome: SettleRecord["outcome"] = "done";
    try {
      await settling();
    } catch (error) {
      outcome = isLeaseLostError(error) ? "lost" : "failed";
    }
    records.write({ kind: "settle", process, lease, id, what, startMs, endMs: Date.now(), outcome });
  };

  /** @param mayReturn - Whether to leave the ack to the worker is possible. Throws where the handler is to fail. */
  const work = async (event: MessageData, lease: Lease<MessageData>, mayReturn: boolean): Promise<void> => {
    const nth = count++;
    const { name: id, fate, text } = event;
    const isAltered = text !== textOf(id) || (id.startsWith("named/") && lease.id !== id);
    const { attempt, crashes, priority } = lease;
    records.write({
      kind: "delivery",
      process,
      lease: nth,
      id,
      priority,
      attempt,
      crashes,
      atMs: Date.now(),
      ...(isAltered && { isAltered }),
    });
    if (random.chance(0.002)) return settle(nth, id, "release", () => lease.release());
    if (fate.kind === "poison" || (fate.kind === "flaky" && attempt <= fate.failures)) {
      records.write({ kind: "failure", process, lease: nth, id, atMs: Date.now() });
      if (mayReturn && random.chance(0.5)) throw new Error("This message is to fail");
      return settle(nth, id, "nack", () => lease.nack());
    }
    let leftMs = fate.kind === "done" ? fate.takesMs : 0;
    while (leftMs > 0 && !isOver) {
      const pauseMs = Math.min(leftMs, setup.leaseMs / 3);
      await sleep(pauseMs);
      leftMs -= pauseMs;
      // A worker extends by itself.
      if (leftMs > 0 && !mayReturn) await settle(nth, id, "extend", () => lease.extend());
    }
    await ledger.apply(id, process);
    if (mayReturn && random.chance(0.5)) return;
    await settle(nth, id, "ack", () => lease.ack());
  };

  const pullAll = async (): Promise<void> => {
    while (!isOver) {
      const startMs = Date.now();
      const leases = await queue.pull({ max: random.between(1, concurrency) }).catch(() => undefined);
      const endMs = Date.now();
      if (!leases || endMs - startMs > setup.timeoutMs) {
        records.write({ kind: "call", process, what: "pull", startMs, endMs, deadlineMs: setup.timeoutMs });
      }
      await Promise.all((leases ?? []).map((lease) => work(lease.event, lease, false)));
      if (!leases || leases.length === 0) await sleep(random.between(5, 50));
    }
  };
  const run = async (): Promise<void> => {
    if (by === "pull") return pullAll();
    const worker = queue.consume((event, lease) => work(event, lease, true), { concurrency });
    await stopped;
    const startMs = Date.now();
    await worker.stop({ timeout: "5s" });
    records.write({ kind: "call", process, what: "stop", startMs, endMs: Date.now(), deadlineMs: 5_000 });
  };
  const done = async (): Promise<void> => {
    tell("consuming");
    await run();
    const startMs = Date.now();
    await close();
    const deadlineMs = setup.timeoutMs * 2;
    records.write({ kind: "call", process, what: "close", startMs, endMs: Date.now(), deadlineMs });
    ledger.close();
  };
  return {
    hear({ kind }) {
      if (kind !== "stop") return;
      isOver = true;
      stop();
    },
    done: done(),
  };
}
