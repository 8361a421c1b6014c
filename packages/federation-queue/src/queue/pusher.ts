import {
  createPauses,
  createSingleRun,
  hasLastingTimers,
  isCommandError,
  isUnanswered,
  longestTimerMs,
  TransportError,
  within,
} from "@continuum-cache/core";
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
  let pauseMs = firstPauseMs;
  /** When the outbox may be tried again. */
  let nextTryMs = 0;
  /** What a run is sending; it may vanish with the call that began it. */
  let trying: { readonly batch: readonly Outgoing[]; readonly startedMs: number } | undefined;
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
    if (isUnanswered(error) && error.delivery === "none") return;
    for (const out of outs) out.tried ??= { atMs: startedMs, afterMs: sender.latestMs(out.source) };
  };

  const keep = (outs: readonly Outgoing[], cause: TransportError | undefined): readonly Pushed[] => {
    const pushed: Pushed[] = [];
    if (outbox?.length === 0) {
      pauseMs = firstPauseMs;
      putOff();
    }
    for (const out of outs) {
      if (pauses.isEnded || !outbox?.add(out, out.bytes))
        throw fullError(link.name, outs.length - pushed.length, cause);
      pushed.push({ id: out.id, pending: true });
      listener.kept(out.id, outbox.length);
    }
    draining.start();
    return pushed;
  };

  /**
   * @param isCurrent - Whether what is done here counts: a run that was taken over must not take away what another one
   * sends.
   */
  const drainOnce = async (isCurrent: () => boolean): Promise<boolean> => {
    const batch = outbox?.peek(maxPerTrip, maxTripBytes) ?? [];
    const startedMs = performance.now();
    if (trying) doubt(trying.batch, undefined, trying.startedMs);
    trying = { batch, startedMs };
    try {
      const outcomes = await sender.send(batch, {});
      if (!isCurrent()) return false;
      trying = undefined;
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
      if (isCurrent()) trying = undefined;
      return false;
    }
  };

  const draining = createSingleRun(async (isCurrent) => {
    while (outbox && outbox.length > 0 && isCurrent()) {
      if (!(await pauses.wait(Math.max(0, nextTryMs - performance.now()), undefined))) break;
      // Until it is known what becomes of it: the call that tries it may vanish.
      putOff();
      while (outbox.length > 0 && isCurrent() && (await drainOnce(isCurrent))) {
        pauseMs = firstPauseMs;
        putOff();
      }
      // Where it would vanish with this call, the next one goes on.
      if (!hasLastingTimers()) return;
    }
  });
  const putOff = (): void => {
    nextTryMs = performance.now() + pauseMs * (0.5 + Math.random());
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  };

  /** Where what is done in the background vanishes with its call, calls do it while they are there. */
  const drainHere = async ({ timeoutMs = link.timeoutMs, signal }: LinkOptions): Promise<void> => {
    if (hasLastingTimers() || !outbox || outbox.length === 0 || performance.now() < nextTryMs) return;
    draining.start();
    await draining.idle({ timeoutMs: timeoutMs / 2, signal });
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
      if (!mayKeep || !isUnanswered(error)) throw error;
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
      if (mayKeep) await drainHere(options);
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
      await within(hasLastingTimers() ? longestTimerMs : withinMs, Promise.allSettled(underWay));
      const timer = setTimeout(() => pauses.end(), withinMs);
      await draining.idle();
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
