import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "@continuum-cache/conformance/servers";
import { isLeaseLostError, type Lease } from "@continuum-cache/federation-queue";
import { textOf } from "../checking/text.ts";
import type { Records, Session } from "../fleet/serve.ts";
import { openLedger } from "./ledger.ts";
import type { MessageData } from "./message.ts";
import { openQueue } from "./open-queue.ts";
import type { QueueRecord, SettleRecord } from "./record.ts";
import type { ConsumeTask } from "./tasks.ts";

/** Works on messages, by a worker or a loop that pulls. Records what it was given and told before it goes on. */
export function consumeWork(task: ConsumeTask, records: Records<QueueRecord>): Session {
  const { process, seed, by, concurrency, setup } = task;
  const { queue, close } = openQueue(task, records);
  const ledger = openLedger(task.ledgerUrl);
  const random = createRandom(seed, 7);
  const ending = new AbortController();
  let count = 0;

  const settle = async (
    lease: number,
    id: string,
    what: SettleRecord["what"],
    settling: () => Promise<void>,
  ): Promise<void> => {
    const startMs = Date.now();
    const outcome = await settling().then(
      () => "done" as const,
      (error: unknown) => (isLeaseLostError(error) ? "lost" : "failed"),
    );
    records.write({ kind: "settle", process, lease, id, what, startMs, endMs: Date.now(), outcome });
  };
  const timed = async (what: string, deadlineMs: number, work: () => Promise<unknown>): Promise<void> => {
    const startMs = Date.now();
    await work();
    records.write({ kind: "call", process, what, startMs, endMs: Date.now(), deadlineMs });
  };

  /** @param mayReturn - Whether the ack can be left to the worker. Throws where the handler is to fail. */
  const work = async (event: MessageData, lease: Lease<MessageData>, mayReturn: boolean): Promise<void> => {
    const nth = count++;
    const { name: id, behavior, text } = event;
    const isAltered = text !== textOf(id) || (id.startsWith("named/") && lease.id !== id);
    const { attempt, crashes, priority } = lease;
    const told = { process, lease: nth, id, atMs: Date.now() };
    records.write({ kind: "delivery", ...told, priority, attempt, crashes, ...(isAltered && { isAltered }) });
    if (random.chance(0.002)) return settle(nth, id, "release", () => lease.release());
    if (behavior.kind === "poison" || (behavior.kind === "flaky" && attempt <= behavior.failures)) {
      records.write({ kind: "failure", process, lease: nth, id, atMs: Date.now() });
      if (mayReturn && random.chance(0.5)) throw new Error("This message is to fail");
      return settle(nth, id, "nack", () => lease.nack());
    }
    let leftMs = behavior.kind === "done" ? behavior.takesMs : 0;
    while (leftMs > 0 && !ending.signal.aborted) {
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
    while (!ending.signal.aborted) {
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
  const worker =
    by === "worker" ? queue.consume((event, lease) => work(event, lease, true), { concurrency }) : undefined;
  const pulling = by === "pull" ? pullAll() : undefined;
  return {
    async stop() {
      ending.abort();
      await pulling;
      if (worker) await timed("stop", 5_000, () => worker.stop({ timeout: "5s" }));
      await timed("close", setup.timeoutMs * 2, close);
      ledger.close();
    },
  };
}
