import type { Events } from "@continuum-cache/core";
import { messageOf, toError } from "@continuum-cache/core/kit";
import { createNotifier } from "../shared/notifier.ts";
import { createPrimaryClient, type PrimaryClient } from "../shared/primary-client.ts";
import { forgetConsumersScript } from "./forget-consumers-script.ts";
import type { WorkerSettings } from "./handler-pool.ts";
import { createKeepAlive, createLeaseActions } from "./lease-actions.ts";
import { createLeases, createReleaseAll, type Leases, type ReleaseAll } from "./leases.ts";
import { startWorker } from "./local-queue.ts";
import { createMaintenance } from "./maintenance.ts";
import { createPusher, type Pusher } from "./pusher.ts";
import { createQueueNotifier, type QueueNotifier } from "./queue-notifier.ts";
import { createPull, createReader, type Pull } from "./reader.ts";
import { createRepair } from "./repair/repair.ts";
import { createSender } from "./sender.ts";
import type { QueueSettings } from "./settings.ts";
import { createSettlementBatcher } from "./settlement-batcher.ts";
import type { DeathReason, Handler, QueueEvents, Worker } from "./types.ts";

/** A queue's parts, put together. */
export interface QueueParts<Event> {
  readonly settings: QueueSettings;
  readonly client: PrimaryClient;
  readonly pusher: Pusher;
  readonly leases: Leases<Event>;
  readonly pull: Pull<Event>;
  readonly releaseAll: ReleaseAll;
  readonly notifier: QueueNotifier;
  work(handler: Handler<Event>, settings: WorkerSettings): Worker;
  close(): Promise<void>;
}

export function createQueueParts<Event>(settings: QueueSettings, emit: Events<QueueEvents>["emit"]): QueueParts<Event> {
  const { transport, keys, codec, leaseMs, pollMs, timeoutMs } = settings;
  const consumer = crypto.randomUUID();
  const client = createPrimaryClient(transport, timeoutMs);
  const workers = new Set<Worker>();
  const failed = (operation: string, error: unknown, id?: string): void =>
    emit("error", { operation, error: toError(error), ...(id !== undefined && { id }) });
  const died = (id: string, reason: DeathReason): void => emit("dead", { id, reason });

  const channel = createNotifier(transport, settings.channel, timeoutMs, (error) => failed("listen", error));
  const maintenance = createMaintenance(client, settings, channel, {
    notify: (notification) => notifier.notify(notification),
    maintained({ recovered, died: all }) {
      if (recovered > 0) emit("recovered", { count: recovered });
      for (const { id, reason } of all) died(id, reason as DeathReason);
    },
    failed: (error) => failed("maintain", error),
  });

  const repair = createRepair(
    client,
    settings,
    (pushes, options) => sender.send(pushes, options),
    (count) => emit("repaired", { count }),
  );
  const sender = createSender(client, settings, channel, repair.accepted);
  const notifier = createQueueNotifier(channel, keys.streams, maintenance, repair.interrupted);
  client.onOutage(repair.interrupted);
  const pusher = createPusher(client, settings, sender, {
    kept: (id, pending) => emit("kept", { id, pending }),
    refused: (error) => failed("push", error),
  });

  const settlements = createSettlementBatcher(client, repair);
  const actions = createLeaseActions(client, settings, consumer, settlements, {
    retried: () => notifier.notify({ kind: "work", name: keys.retry.name }),
    delayed: (inMs) => notifier.notify({ kind: "delayed", inMs }),
    died,
  });
  const leases = createLeases<Event>({
    settlements,
    actions,
    codec,
    leaseMs,
    unreadable(stream, entryId, fields, error) {
      failed("decode", error, fields.i);
      actions
        .deadLetter(stream, entryId, { ...fields, d: messageOf(error) }, "unreadable")
        .catch((failure: unknown) => failed("deadLetter", failure, fields.i));
    },
  });
  const reader = createReader(client, keys, leases, consumer);
  const keepAlive = createKeepAlive(leaseMs, leases.all, actions.extendAll, (error) => failed("extend", error));
  const releaseAll = createReleaseAll((error) => failed("release", error));

  const closePushes = async (): Promise<void> => {
    const lost = await pusher.close(timeoutMs);
    if (lost > 0) {
      failed("close", new Error(`${lost} pushes that waited for Redis are lost: it did not answer in time`));
    }
    await repair.close(lost > 0 ? 0 : timeoutMs);
  };
  /** The script spares a consumer that has leases. If this fails, maintenance removes the consumer later. */
  const removeConsumer = async (): Promise<void> => {
    const streams = keys.streams.map(({ key }) => key);
    await client.run(forgetConsumersScript, streams, [consumer, 0]).catch(() => {});
  };

  return {
    settings,
    client,
    pusher,
    leases,
    pull: createPull(client, keys, reader, maintenance),
    releaseAll,
    notifier,
    work(handler, workerSettings) {
      const stopMaintenance = maintenance.start();
      const worker = startWorker<Event>(
        {
          keys,
          leaseMs,
          pollMs,
          reader,
          keepAlive,
          releaseAll,
          leases,
          notifier,
          onTaken: maintenance.noteActivity,
          threw: ({ id }, attempt, error) => emit("failed", { id, attempt, error: toError(error) }),
          failed,
        },
        handler,
        workerSettings,
        () => {
          stopMaintenance();
          workers.delete(worker);
        },
      );
      workers.add(worker);
      return worker;
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      keepAlive.close();
      await Promise.all([maintenance.close(), releaseAll(leases.all()), closePushes()]);
      await settlements.close();
      await repair.flush();
      await removeConsumer();
      await channel.close();
    },
  };
}
