import { isUnanswered, longestTimerMs, type Mutex } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import type { HybridClock } from "./hybrid-clock.ts";
import { OriginTakenError } from "./origin-taken-error.ts";
import { type LeaseAnswer, leaseScript, readLeaseAnswer, releaseScript } from "./registry.ts";
import type { LogSettings } from "./settings.ts";
import { noId, type StreamId, writeId } from "./stream.ts";

/**
 * The lease of this instance's name: one process at a time has it, takes it at its first use, and renews it until it is
 * closed.
 */
export interface OriginLease {
  /** Whether this process holds the name, as far as it knows. */
  readonly isHeld: boolean;
  /** Whether another process was seen alive under this name. */
  readonly hasConflict: boolean;
  /** The random token of this process's hold. Each time that the lease is lost, another token takes its place. */
  readonly token: string;
  /**
   * Takes the lease unless this process holds it already; one try.
   *
   * @throws OriginTakenError when another process holds it, or a dead one still does. TransportError when no reply
   *   came.
   */
  acquire(): Promise<void>;
  /** How long to wait before another try, in ms. */
  readonly retryInMs: number;
  /** The name may be free now: the next `acquire` asks the server at once. */
  wake(): void;
  /** An append was refused because another process holds the name. */
  markLost(): void;
  /** Whether the next append should renew the lease. */
  readonly isRenewalDue: boolean;
  /** An append has renewed the lease at this time of the server. */
  markRenewed(nowMs: number): void;
  /** Renews soon: the server may have changed. */
  renewSoon(): void;
  /**
   * Renews one last time before the log closes: a server that took over in a failover does not report what it lost, so
   * only a renewal notices it. Retries for so long, and never rejects.
   */
  renewWithin(withinMs: number): Promise<void>;
  close(): Promise<void>;
}

/** How this process's hold relates to the one before it. */
export type Continuity =
  /** It is the first, or no other process had the name in between: what this process remembers is the truth. */
  | "own"
  /** Another process had the name in between, and may have appended under it. */
  | "another";

/** Called with what the server says of the name's stream, within a turn. */
export interface OriginLeaseListener {
  acquired(answer: LeaseAnswer & { readonly kind: "held" }, continuity: Continuity): Promise<void>;
  /** The lease was renewed; this is the stream's last id now. */
  renewed(streamLast: StreamId): void;
  /** Another process has the name: this one waits for it. */
  conflict(): void;
  /** The last id that this process knows. */
  readonly last: StreamId;
  failed(error: unknown): void;
}

/** Who holds the name, as far as this process knows. Times without another note are those of `performance.now()`. */
export type LeasePhase =
  /** Unknown: this process has not asked yet, or has just lost the name. */
  { readonly kind: "free" } | { readonly kind: "held"; readonly renewedMs: number } | Conflict;

/** Another process holds the name. */
export interface Conflict {
  readonly kind: "conflict";
  /** Its token, and when its lease ends by the server's clock. */
  readonly holder: string;
  readonly untilMs: number;
  /** It has renewed its lease while this process waited: it is no leftover of a crash. */
  readonly isAlive: boolean;
  /** No try makes sense before this. */
  readonly nextTryMs: number;
}

/** This process's token, and when its last hold began, by the server's clock. */
export interface OwnHold {
  readonly token: string;
  readonly sinceMs: number | undefined;
}

/** The phase after the server has named another holder. A lease that grew since the last look has a living owner. */
export function conflictAfter(
  phase: LeasePhase,
  { holder, untilMs, nowMs }: LeaseAnswer & { readonly kind: "conflict" },
  leaseMs: number,
): Conflict {
  const isAlive = phase.kind === "conflict" && phase.holder === holder && untilMs > phase.untilMs;
  const waitMs = Math.min(untilMs - nowMs + 5, Math.max(1_000, leaseMs / 4));
  return { kind: "conflict", holder, untilMs, isAlive, nextTryMs: performance.now() + waitMs + Math.random() * 20 };
}

/**
 * Whether another process held the name after this one did. The start of a hold only grows: one from before ours is
 * what a server remembers that has forgotten ours.
 */
export const continuityOf = (
  own: OwnHold,
  before: { readonly holder: string; readonly sinceMs: number },
): Continuity =>
  own.sinceMs !== undefined && before.holder !== own.token && before.sinceMs >= own.sinceMs ? "another" : "own";

const free: LeasePhase = { kind: "free" };

const sinceRenewalMs = (phase: LeasePhase): number =>
  phase.kind === "held" ? performance.now() - phase.renewedMs : Number.POSITIVE_INFINITY;

const longestTrimPauseMs = 3_600_000;
/** A lease that was renewed so recently is not renewed again when the server may have changed. */
const recentlyMs = 200;
const retryLastRenewalMs = 50;

/** @param turns - Calls that read or write the name or its stream take turns. */
export function createOriginLease(
  link: PrimaryClient,
  settings: LogSettings,
  clock: HybridClock,
  turns: Mutex,
  listener: OriginLeaseListener,
): OriginLease {
  const server = createLeaseCalls(link, settings, clock);
  const { instanceId, leaseMs } = settings;
  let phase = free;
  let own: OwnHold = { token: crypto.randomUUID(), sinceMs: undefined };
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const renewIn = (ms: number): void => {
    clearTimeout(timer);
    if (phase.kind === "held" && !isClosed) {
      timer = setTimeout(() => void turns.run(renew), Math.min(longestTimerMs, ms));
    }
  };
  const hold = (): void => {
    phase = { kind: "held", renewedMs: performance.now() };
    renewIn(leaseMs / 2);
  };
  const lose = (): void => {
    clearTimeout(timer);
    phase = phase.kind === "conflict" ? { ...phase, nextTryMs: 0 } : free;
    // The server refuses what is still on its way under the old token.
    own = { ...own, token: crypto.randomUUID() };
  };
  const take = async (): Promise<void> => {
    if (phase.kind === "held" || isClosed) return;
    const answer = await server.ask(own.token, listener.last, true);
    if (answer.kind === "conflict") {
      phase = conflictAfter(phase, answer, leaseMs);
      listener.conflict();
      throw new OriginTakenError(instanceId);
    }
    await listener.acquired(answer, continuityOf(own, answer.before));
    own = { ...own, sinceMs: answer.sinceMs };
    hold();
  };

  /** Returns whether this process knows now who holds the name. */
  const renew = async (): Promise<boolean> => {
    if (phase.kind !== "held" || isClosed) return true;
    try {
      const answer = await server.ask(own.token, listener.last, false);
      if (answer.kind === "conflict") {
        lose();
        // Before the next append this process must know the other holder, and repair what was lost with it.
        await take();
      } else {
        hold();
        listener.renewed(answer.streamLast);
      }
      return true;
    } catch (error) {
      renewIn(Math.max(50, (leaseMs / 8) * (0.5 + Math.random())));
      if (!isUnanswered(error)) listener.failed(error);
      return false;
    }
  };

  return {
    get isHeld() {
      return phase.kind === "held";
    },
    get hasConflict() {
      return phase.kind === "conflict" && phase.isAlive;
    },
    get token() {
      return own.token;
    },
    async acquire() {
      if (phase.kind === "held") return;
      await turns.run(async () => {
        if (phase.kind === "conflict" && performance.now() < phase.nextTryMs) throw new OriginTakenError(instanceId);
        await take();
      });
    },
    get retryInMs() {
      return phase.kind === "conflict" ? Math.max(1, phase.nextTryMs - performance.now()) : 0;
    },
    wake() {
      if (phase.kind === "conflict") phase = { ...phase, nextTryMs: 0 };
    },
    markLost: lose,
    get isRenewalDue() {
      return sinceRenewalMs(phase) > leaseMs / 3;
    },
    markRenewed(nowMs) {
      clock.setServerMs(nowMs);
      if (phase.kind === "held") hold();
    },
    renewSoon() {
      if (phase.kind === "held" && sinceRenewalMs(phase) > recentlyMs) renewIn(recentlyMs * (0.5 + Math.random()));
    },
    async renewWithin(withinMs) {
      const endMs = performance.now() + withinMs;
      while (phase.kind === "held" && performance.now() < endMs) {
        const turn = await turns.run(renew, { timeoutMs: endMs - performance.now() });
        if (turn?.result) return;
        await new Promise((resolve) => setTimeout(resolve, retryLastRenewalMs));
      }
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await turns.idle();
      if (phase.kind !== "held") return;
      phase = free;
      await server.release(own.token, listener.last);
    },
  };
}

function createLeaseCalls(
  link: PrimaryClient,
  { keys, instanceId, leaseMs, retentionMs }: LogSettings,
  clock: HybridClock,
) {
  const trimPauseMs = Math.min(longestTrimPauseMs, retentionMs / 10);
  let trimmedMs = Number.NEGATIVE_INFINITY;
  return {
    /** Renews the lease, or takes it if it may. Trims the stream now and then. @throws as `PrimaryClient.run`. */
    async ask(token: string, last: StreamId, mayTake: boolean): Promise<LeaseAnswer> {
      const isTrimDue = performance.now() - trimmedMs >= trimPauseMs;
      const args = [instanceId, token, leaseMs, mayTake ? 1 : 0, writeId(last), isTrimDue ? retentionMs : ""];
      const answer = readLeaseAnswer(await link.run(leaseScript, [keys.registry, keys.stream(instanceId)], args));
      clock.setServerMs(answer.nowMs);
      if (answer.kind === "held" && isTrimDue) trimmedMs = performance.now();
      return answer;
    },
    /** Never rejects: without a release the name is free after its lease has ended. */
    async release(token: string, last: StreamId): Promise<void> {
      await link
        .run(releaseScript, [keys.registry], [instanceId, token, writeId(last.seq > 0 ? last : noId)])
        .catch(() => {});
    },
  };
}
