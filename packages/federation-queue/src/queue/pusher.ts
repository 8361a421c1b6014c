import { TransportError } from "@continuum-cache/core";
import {
  chunked,
  createBackgroundTask,
  createCancellableSleep,
  createTickBatch,
  deliverInHalves,
  hasLastingTimers,
  isUnanswered,
  largeBatch,
  longestTimerMs,
  settlesWithin,
} from "@continuum-cache/core/kit";
import type { Link, LinkOptions } from "../shared/link.ts";
import { createOutbox } from "../shared/outbox.ts";
import type { Pushed } from "./options.ts";
import { type Outgoing, tripLimits } from "./outgoing.ts";
import type { Repair } from "./repair.ts";
import { isPassing, type PushOutcome, type Sender, type Sent } from "./sender.ts";
import type { QueueSettings } from "./settings.ts";

/** Pushes, at once or, while Redis is away, as soon as it is back. */
export interface Pusher {
  /** How many wait in this process. */
  readonly pending: number;
  /**
   * Pushes one message. Those of one tick that ask for the same are sent together.
   *
   * @throws TransportError when no answer came and nothing may wait, or has room to. CommandError when Redis refuses it.
   */
  push(out: Outgoing, options?: PushingOptions): Promise<Pushed>;
  /** Pushes many, in order. @throws as `push` does; some of them may be in the queue then, or wait. */
  pushMany(outs: readonly Outgoing[], options: PushingOptions): Promise<readonly Pushed[]>;
  /** Tries to push what waits, within the time; tells how many could not be. */
  close(withinMs: number): Promise<number>;
}

/** What a push may ask for. */
export type PushingOptions = LinkOptions & { readonly fallback?: boolean };

/** Told of what waits. */
export interface PusherListener {
  kept(id: string, pending: number): void;
  /** A push that had waited was refused, and is lost. */
  refused(error: Error): void;
}

/** A push that waits for the end of its tick. Those that ask for the same leave together. */
interface Waiting {
  readonly out: Outgoing;
  readonly timeoutMs: number;
  readonly mayKeep: boolean;
  resolve(pushed: Pushed): void;
  reject(error: unknown): void;
}

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
  const pauses = createCancellableSleep();
  /** Whether what a call has begun may vanish with it. */
  const mayVanish = !hasLastingTimers();
  /** How many pushes are being sent, which `close` waits for. */
  let underWay = 0;
  /** How many pushes of ticks have no answer yet. */
  let unanswered = 0;
  let onAllEnded = (): void => {};
  let pauseMs = firstPauseMs;
  /** When the outbox may be tried again. */
  let nextTryMs = 0;
  /** What a run is sending; it may vanish with the call that began it. */
  let trying: { readonly batch: readonly Outgoing[]; readonly startedMs: number } | undefined;
  let isClosing = false;

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
    const batch = outbox?.peek(tripLimits.items, tripLimits.size) ?? [];
    const startedMs = performance.now();
    if (trying) doubt(trying.batch, undefined, trying.startedMs);
    trying = { batch, startedMs };
    try {
      const { outcomes, accepted } = await sender.send(batch, {});
      if (!isCurrent()) return false;
      trying = undefined;
      // What Redis can't take now it may take later, and so what is behind it.
      const stop = outcomes.findIndex((outcome) => outcome.kind === "refused" && isPassing(outcome.error));
      const done = stop < 0 ? outcomes.length : stop;
      doubt(batch.slice(done), undefined, startedMs);
      repair.remember(accepted);
      for (const outcome of outcomes.slice(0, done)) if (outcome.kind === "refused") listener.refused(outcome.error);
      outbox?.remove(done);
      return stop < 0;
    } catch (error) {
      doubt(batch, error, startedMs);
      if (isCurrent()) trying = undefined;
      return false;
    }
  };

  const draining = createBackgroundTask(async (isCurrent) => {
    while (outbox && outbox.length > 0 && isCurrent()) {
      if (!(await pauses.wait(Math.max(0, nextTryMs - performance.now()), undefined))) break;
      // Until it is known what becomes of it: the call that tries it may vanish.
      putOff();
      while (outbox.length > 0 && isCurrent() && (await drainOnce(isCurrent))) {
        pauseMs = firstPauseMs;
        putOff();
      }
      // Where it would vanish with this call, the next one goes on.
      if (mayVanish) return;
    }
  });
  const putOff = (): void => {
    nextTryMs = performance.now() + pauseMs * (0.5 + Math.random());
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  };

  /** Where what is done in the background vanishes with its call, calls do it while they are there. */
  const drainHere = async ({ timeoutMs = link.timeoutMs, signal }: LinkOptions): Promise<void> => {
    if (!outbox || outbox.length === 0 || performance.now() < nextTryMs) return;
    draining.start();
    await draining.idle({ timeoutMs: timeoutMs / 2, signal });
  };

  const sendPart = async (
    part: readonly Outgoing[],
    options: LinkOptions,
    mayKeep: boolean,
  ): Promise<readonly Pushed[]> => {
    const startedMs = performance.now();
    let sent: Sent;
    try {
      // Where calls can vanish each sends its own, and those of one tick are put together on their way.
      sent = await sender.send(part, { ...options, together: mayVanish });
    } catch (error) {
      doubt(part, error, startedMs);
      if (!mayKeep || !isUnanswered(error)) throw error;
      return keep(part, error);
    }
    // Those that were taken are in the queue, whatever became of the others.
    repair.remember(sent.accepted);
    const { outcomes } = sent;
    for (const outcome of outcomes) if (outcome.kind === "refused") throw outcome.error;
    return part.map((out, at) => pushedOf(out, outcomes[at]));
  };

  const ended = (): void => {
    underWay--;
    if (underWay === 0) onAllEnded();
  };

  const pushAll: Pusher["pushMany"] = async (outs, { fallback = true, ...options }) => {
    const mayKeep = fallback && outbox !== undefined;
    const pushed: Pushed[] = [];
    underWay++;
    try {
      for (const part of chunked(outs, tripLimits)) {
        if (mayKeep && mayVanish) await drainHere(options);
        // Nothing overtakes what waits.
        const isWaiting = mayKeep && outbox.length > 0;
        pushed.push(...(isWaiting ? keep(part, undefined) : await sendPart(part, options, mayKeep)));
      }
      return pushed;
    } finally {
      ended();
    }
  };

  const keepEach = (pushes: readonly Waiting[], cause: TransportError | undefined): void => {
    for (const { out, resolve, reject } of pushes) {
      try {
        for (const pushed of keep([out], cause)) resolve(pushed);
      } catch (error) {
        reject(error);
      }
    }
  };
  /** Each hears what becomes of its own push. Never rejects. */
  const sendTogether = async (pushes: readonly Waiting[]): Promise<void> => {
    const { timeoutMs, mayKeep } = pushes[0] as Waiting;
    if (mayKeep && outbox && outbox.length > 0) return keepEach(pushes, undefined);
    const outs = pushes.map(({ out }) => out);
    const startedMs = performance.now();
    underWay++;
    unanswered += outs.length;
    let sent: Sent;
    try {
      sent = await sender.send(outs, { timeoutMs });
      unanswered -= outs.length;
    } catch (error) {
      unanswered -= outs.length;
      doubt(outs, error, startedMs);
      if (mayKeep && outbox && isUnanswered(error)) keepEach(pushes, error);
      else for (const { reject } of pushes) reject(error);
      ended();
      return;
    }
    repair.remember(sent.accepted);
    const settle = (from: number, to: number): void => {
      for (let nth = from; nth < to; nth++) {
        const { out, resolve, reject } = pushes[nth] as Waiting;
        const outcome = sent.outcomes[nth];
        if (outcome?.kind === "refused") reject(outcome.error);
        else resolve(pushedOf(out, outcome));
      }
      if (to === pushes.length) ended();
    };
    if (pushes.length < largeBatch) settle(0, pushes.length);
    else deliverInHalves(link, unanswered, pushes.length, settle);
  };
  const tick = createTickBatch<Waiting>(
    {
      ...tripLimits,
      sizeOf: ({ out }) => out.bytes,
      isAlike: (one, other) => one.timeoutMs === other.timeoutMs && one.mayKeep === other.mayKeep,
    },
    (pushes) => void sendTogether(pushes),
  );

  const pushMany: Pusher["pushMany"] = (outs, options) => {
    if (isClosing) return Promise.reject(closedError(link.name));
    // What was pushed before goes before.
    tick.flush();
    return pushAll(outs, options);
  };

  return {
    get pending() {
      return outbox?.length ?? 0;
    },
    push(out, options = {}) {
      const { timeoutMs = link.timeoutMs, fallback: mayKeep = true, signal } = options;
      // Where calls can vanish none sends for another.
      if (signal || mayVanish) {
        return pushMany([out], options).then(([pushed]) => pushed ?? { id: out.id });
      }
      if (isClosing) return Promise.reject(closedError(link.name));
      return new Promise((resolve, reject) => tick.add({ out, timeoutMs, mayKeep, resolve, reject }));
    },
    pushMany,
    async close(withinMs) {
      isClosing = true;
      tick.flush();
      const allEnded = new Promise<void>((resolve) => {
        onAllEnded = resolve;
      });
      if (underWay > 0) await settlesWithin(mayVanish ? withinMs : longestTimerMs, allEnded);
      const timer = setTimeout(() => pauses.end(), withinMs);
      await draining.idle();
      clearTimeout(timer);
      pauses.end();
      return outbox?.length ?? 0;
    },
  };
}

const pushedOf = ({ id }: Outgoing, outcome: PushOutcome | undefined): Pushed =>
  outcome?.kind === "duplicate" ? { id, duplicate: true } : { id };

const fullError = (transport: string, count: number, cause: TransportError | undefined): TransportError =>
  new TransportError(
    cause?.kind ?? "unreachable",
    `Redis does not answer, and there is no room for ${count} more to wait for it: try again later, or raise \`outbox\``,
    { transport, delivery: cause?.delivery ?? "none", cause },
  );

const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The queue was closed", { transport, delivery: "none" });
