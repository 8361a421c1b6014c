import { createPauses, isCommandError, isOutage, TransportError } from "@continuum-cache/core";
import { createOutbox } from "../outbox/outbox.ts";
import type { Pushed } from "../push-options.ts";
import type { Link, LinkOptions } from "./link.ts";
import type { Outgoing } from "./outgoing.ts";
import type { QueueSettings } from "./queue-settings.ts";
import type { Repair } from "./repair.ts";
import type { PushOutcome, Sender } from "./sender.ts";

/** Pushes, at once or, while Redis is away, as soon as it is back. */
export interface Pusher {
  /** How many wait in this process. */
  readonly pending: number;
  /** @throws TransportError when no answer came and nothing may wait, or has room to. CommandError when Redis refuses it. */
  push(outs: readonly Outgoing[], options: LinkOptions & { readonly fallback?: boolean }): Promise<readonly Pushed[]>;
  /** Tries to push what waits, within the time; tells how many could not be. */
  close(withinMs: number): Promise<number>;
}

/** Told of what was pushed and of what waits. */
export interface PusherListener {
  pushed(out: Outgoing): void;
  kept(id: string, pending: number): void;
  /** A push that had waited was refused, and is lost. */
  refused(error: Error): void;
}

const maxPerTrip = 200;
const maxTripBytes = 256 << 10;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export function createPusher(
  link: Link,
  settings: QueueSettings,
  sender: Sender,
  repair: Repair,
  listener: PusherListener,
): Pusher {
  const outbox = settings.outbox && createOutbox<Outgoing>(settings.outbox);
  const pauses = createPauses();
  const underWay = new Set<Promise<unknown>>();
  let draining: Promise<void> | undefined;
  let isClosing = false;

  const settled = (out: Outgoing, outcome: PushOutcome): Pushed => {
    if (outcome.kind === "duplicate") return { id: out.id, duplicate: true };
    if (outcome.kind === "pushed") {
      repair.remember(out, outcome.entryId);
      listener.pushed(out);
    }
    return { id: out.id };
  };

  const doubt = (outs: readonly Outgoing[], error: unknown, startedMs: number): void => {
    if (isOutage(error) && error.delivery === "none") return;
    for (const out of outs) out.tried ??= { atMs: startedMs, afterMs: sender.latestMs(out.source) };
  };

  const keep = (outs: readonly Outgoing[], cause: TransportError | undefined): readonly Pushed[] => {
    const pushed: Pushed[] = [];
    for (const out of outs) {
      if (pauses.isEnded || !outbox?.add(out, out.bytes))
        throw fullError(link.name, outs.length - pushed.length, cause);
      pushed.push({ id: out.id, pending: true });
      listener.kept(out.id, outbox.length);
    }
    draining ??= drain();
    return pushed;
  };

  const drainOnce = async (): Promise<boolean> => {
    const batch = outbox?.peek(maxPerTrip, maxTripBytes) ?? [];
    const startedMs = performance.now();
    try {
      const outcomes = await sender.send(batch, {});
      // What Redis can't take now it may take later, and so what is behind it.
      const stop = outcomes.findIndex((outcome) => outcome.kind === "refused" && isPassing(outcome.error));
      const done = stop < 0 ? outcomes.length : stop;
      doubt(batch.slice(done), undefined, startedMs);
      for (const [at, outcome] of outcomes.slice(0, done).entries()) {
        const out = batch[at];
        if (outcome.kind === "refused") listener.refused(outcome.error);
        else if (out) settled(out, outcome);
      }
      outbox?.remove(done);
      return stop < 0;
    } catch (error) {
      doubt(batch, error, startedMs);
      return false;
    }
  };

  const drain = async (): Promise<void> => {
    let pauseMs = firstPauseMs;
    while (outbox && outbox.length > 0) {
      if (!(await pauses.wait(pauseMs * (0.5 + Math.random()), undefined))) break;
      while (outbox.length > 0 && (await drainOnce())) pauseMs = firstPauseMs;
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
    }
    draining = undefined;
  };

  const sendPart = async (
    part: readonly Outgoing[],
    options: LinkOptions,
    mayKeep: boolean,
  ): Promise<readonly Pushed[]> => {
    const startedMs = performance.now();
    let outcomes: readonly PushOutcome[];
    try {
      outcomes = await sender.send(part, { ...options, together: true });
    } catch (error) {
      doubt(part, error, startedMs);
      if (!mayKeep || !isOutage(error)) throw error;
      return keep(part, error);
    }
    // Those that were taken are in the queue, whatever became of the others.
    const pushed = part.map((out, at) => settled(out, outcomes[at] ?? { kind: "pushed" }));
    for (const outcome of outcomes) if (outcome.kind === "refused") throw outcome.error;
    return pushed;
  };

  const pushAll: Pusher["push"] = async (outs, { fallback = true, ...options }) => {
    const mayKeep = fallback && outbox !== undefined;
    const pushed: Pushed[] = [];
    for (const part of inParts(outs)) {
      // Nothing overtakes what waits.
      const isWaiting = mayKeep && outbox.length > 0;
      pushed.push(...(isWaiting ? keep(part, undefined) : await sendPart(part, options, mayKeep)));
    }
    return pushed;
  };

  return {
    get pending() {
      return outbox?.length ?? 0;
    },
    async push(outs, options) {
      if (isClosing) throw closedError(link.name);
      const pushing = pushAll(outs, options);
      underWay.add(pushing);
      try {
        return await pushing;
      } finally {
        underWay.delete(pushing);
      }
    },
    async close(withinMs) {
      isClosing = true;
      await Promise.allSettled(underWay);
      const timer = setTimeout(() => pauses.end(), withinMs);
      await draining;
      clearTimeout(timer);
      pauses.end();
      return outbox?.length ?? 0;
    },
  };
}

/** What one trip may carry. */
function inParts(outs: readonly Outgoing[]): readonly (readonly Outgoing[])[] {
  const parts: Outgoing[][] = [];
  let bytes = 0;
  for (const out of outs) {
    const last = parts.at(-1);
    bytes += out.bytes;
    if (last && last.length < maxPerTrip && bytes <= maxTripBytes) last.push(out);
    else {
      parts.push([out]);
      bytes = out.bytes;
    }
  }
  return parts;
}

/** Refusals that say nothing against the push. */
const isPassing = (error: unknown): boolean =>
  isCommandError(error) && ["OOM", "MISCONF", "BUSY", "NOREPLICAS", "UNKILLABLE"].includes(error.code);

const fullError = (transport: string, count: number, cause: TransportError | undefined): TransportError =>
  new TransportError(
    cause?.kind ?? "unreachable",
    `Redis does not answer, and there is no room for ${count} more to wait for it: try again later, or raise \`outbox\``,
    { transport, delivery: cause?.delivery ?? "none", cause },
  );

const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The queue was closed", { transport, delivery: "none" });
