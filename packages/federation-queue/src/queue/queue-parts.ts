import type { Events } from "@continuum-cache/core";
import { messageOf, toError } from "@continuum-cache/core/kit";
import { createDoorbell } from "../shared/doorbell/doorbell.ts";
import { createLink, type Link } from "../shared/link.ts";
import { createDoneEntries } from "./done-entries.ts";
import { forgetConsumersScript } from "./forget-consumers-script.ts";
import { createKeepAlive } from "./keep-alive.ts";
import { createGiveBack, createLeases, type GiveBack, type Leases } from "./leases.ts";
import { type Note, readNote, writeNote } from "./notes.ts";
import { createPull, type Pull } from "./pull.ts";
import { createPusher, type Pusher } from "./pusher.ts";
import type { Source } from "./queue-keys.ts";
import { createReader } from "./reader.ts";
import { createRepair } from "./repair.ts";
import { createSender } from "./sender.ts";
import type { QueueSettings } from "./settings.ts";
import { createSettlements } from "./settlements.ts";
import { createSettling } from "./settling.ts";
import { startWorker, type WorkerSettings } from "./start-worker.ts";
import { createTender } from "./tender.ts";
import type { Handler, QueueEvents, Worker } from "./types.ts";

/** A queue's parts, put together. */
export interface QueueParts<Event> {
  readonly settings: QueueSettings;
  readonly link: Link;
  readonly pusher: Pusher;
  readonly leases: Leases<Event>;
  readonly pull: Pull<Event>;
  readonly giveBack: GiveBack;
  ring(note: Note): void;
  work(handler: Handler<Event>, settings: WorkerSettings): Worker;
  close(): Promise<void>;
}

export function createQueueParts<Event>(settings: QueueSettings, emit: Events<QueueEvents>["emit"]): QueueParts<Event> {
  const { transport, keys, leaseMs, pollMs, repairMs, timeoutMs } = settings;
  const consumer = crypto.randomUUID();
  const link = createLink(transport, timeoutMs);
  const workers = new Set<Worker>();
  const listeners = new Set<(source: Source | undefined) => void>();
  const works = new Map(keys.sources.map((source) => [writeNote({ kind: "work", name: source.name }), source]));
  let stopListening: (() => void) | undefined;
  let wasHeard = false;

  const ring = (note: Note): void => doorbell.ring(writeNote(note));
  const failed = (operation: string, error: unknown, id?: string): void =>
    emit("error", { operation, error: toError(error), ...(id !== undefined && { id }) });
  const died = (id: string, reason: QueueEvents["dead"]["reason"]): void => emit("dead", { id, reason });

  const doorbell = createDoorbell(transport, settings.channel, timeoutMs, (error) => failed("listen", error));
  const done = createDoneEntries(link, repairMs);
  const sender = createSender(link, settings, doorbell);
  const repair = createRepair(link, settings, sender, (count) => emit("repaired", { count }));
  link.onTrouble(repair.suspect);
  const pusher = createPusher(link, settings, sender, repair, {
    kept: (id, pending) => emit("kept", { id, pending }),
    refused: (error) => failed("push", error),
  });
  const settling = createSettling(link, done, repair);
  const settlements = createSettlements(link, settings, consumer, settling, {
    given: (name) => ring({ kind: "work", name }),
    delayed: (inMs) => ring({ kind: "delayed", inMs }),
    died,
  });
  const leases = createLeases<Event>({
    ...settlements,
    settling,
    codec: settings.codec,
    leaseMs,
    unreadable: (source, entryId, fields, error) => {
      failed("decode", error, fields.i);
      const letter = { ...fields, d: messageOf(error) };
      settlements
        .bury(source, entryId, letter, "unreadable")
        .catch((failure: unknown) => failed("bury", failure, fields.i));
    },
  });
  const reader = createReader(link, keys, leases, consumer);
  const keepAlive = createKeepAlive(leaseMs, leases.all, settlements.extendAll, (error) => failed("extend", error));
  const tender = createTender(link, settings, () => doorbell.isHeard, {
    tell: ring,
    recovered: (count) => emit("recovered", { count }),
    died,
    failed: (error) => failed("tend", error),
  });

  const hear = (texts: readonly string[]): void => {
    // A stream that broke, or is back: rings may have been missed, and the server may be another one.
    if (texts.length === 0 && wasHeard) repair.suspect();
    wasHeard ||= doorbell.isHeard;
    if (texts.length === 0) {
      tender.hear(undefined);
      for (const listener of listeners) listener(undefined);
    }
    for (const text of texts) {
      const source = works.get(text);
      const note = source ? undefined : readNote(text);
      if (source || note?.kind === "work") {
        tender.stir();
        for (const listener of listeners) listener(source);
      } else if (note) tender.hear(note);
    }
  };
  const listen = (onWork: (source: Source | undefined) => void): (() => void) => {
    listeners.add(onWork);
    stopListening ??= doorbell.listen(hear);
    return () => {
      listeners.delete(onWork);
      if (listeners.size > 0) return;
      stopListening?.();
      stopListening = undefined;
    };
  };

  const giveBack = createGiveBack((error) => failed("release", error));
  /** Its leases would go with it, so it goes only when there is none. */
  const removeConsumer = async (): Promise<void> => {
    try {
      await link.run(
        forgetConsumersScript,
        keys.sources.map(({ key }) => key),
        [consumer, 0],
      );
    } catch {
      // Whoever tends the queue removes it after a while.
    }
  };
  const pushWhatWaits = async (): Promise<void> => {
    const lost = await pusher.close(timeoutMs);
    if (lost > 0)
      failed("close", new Error(`${lost} pushes that waited for Redis are lost: it did not answer in time`));
    await repair.close(lost > 0 ? 0 : timeoutMs);
  };

  return {
    settings,
    link,
    pusher,
    leases,
    pull: createPull(link, keys, reader, tender),
    giveBack,
    ring,
    work(handler, workerSettings) {
      const stopTending = tender.start();
      const worker = startWorker<Event>(
        {
          keys,
          leaseMs,
          pollMs,
          reader,
          keepAlive,
          giveBack,
          leases,
          doorbell,
          onTaken: tender.stir,
          onStopped() {
            stopTending();
            workers.delete(worker);
          },
          listen,
          threw: ({ id }, attempt, error) => emit("failed", { id, attempt, error: toError(error) }),
          failed,
        },
        handler,
        workerSettings,
      );
      workers.add(worker);
      return worker;
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop()));
      keepAlive.close();
      await Promise.all([tender.close(), giveBack(leases.all()), pushWhatWaits()]);
      await settling.close();
      await done.flush();
      await removeConsumer();
      await doorbell.close();
    },
  };
}
