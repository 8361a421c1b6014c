import { type CallOptions, isTransportError, type Reply, type Transport } from "@continuum-cache/core";
import { type Claim, createClaim, type Dispatch, decorateDispatch, sendThrough } from "@continuum-cache/core/kit";
import { announcing } from "./announcing.ts";
import { type Cursor, lookCommand, readLook, unknown } from "./cursor.ts";
import type { Invalidation } from "./record.ts";
import { later, type StreamId } from "./stream-id.ts";

/** What follows the invalidations: the values that one cache holds. */
export interface FeedFollower {
  /** How long a look proves what is held to be fresh, in milliseconds. */
  readonly maxStalenessMs: number;
  /** Whether it may hold the value of a key, prefix and all. */
  mayHold(key: string): boolean;
  invalidated(invalidation: Invalidation, id: StreamId): void;
  /** A look has succeeded: what is held is proven fresh from its start on. */
  looked(startedMs: Instant): void;
  /** Nothing that is held can be proven fresh any more, nor what reads in flight will bring. */
  reset(): void;
  /** Counts commands that were sent for it. */
  countCommands(commands: number): void;
}

/** A moment by both clocks, in milliseconds. A frozen machine stops the one, and the other may be set back. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

export const instant = (): Instant => ({ monotonic: performance.now(), wall: Date.now() });

/** A look at the invalidations that is under way. Its owner may vanish: then its claim ends, and another is begun. */
export interface Look {
  readonly cursor: Cursor;
  readonly started: Instant;
  readonly claim: Claim;
  readonly knownId: StreamId | undefined;
  readonly epoch: number;
  hasSucceeded: boolean;
}

/** A claim is given up so long after the deadline of its look. */
const graceMs = 100;

/** A look that has failed is tried again after this, in milliseconds, by the next read. */
const longestPauseMs = 1_000;

/**
 * The invalidations as this process has seen them. All caches of a transport share one, so that one look serves them
 * all.
 */
export class Feed {
  readonly followers: FeedFollower[] = [];
  #cursor: Cursor = unknown;
  /** The highest id that this process has heard of: the cursor's, or that of an announcement of its own. */
  #knownId: StreamId | undefined = undefined;
  /** Rises when the thread is lost. What was begun in an earlier epoch proves nothing in a later one. */
  #epoch = 0;
  #look: Look | undefined = undefined;
  #attemptedMs = Number.NEGATIVE_INFINITY;
  #send: Transport["send"];
  /** How long a look may take. */
  readonly timeoutMs: number;

  constructor(server: Transport, timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#send = server.send;
    decorateDispatch(server, (inner: Dispatch) => {
      this.#send = sendThrough(inner, timeoutMs);
      return announcing(this, inner);
    });
  }

  get epoch(): number {
    return this.#epoch;
  }

  /**
   * Every write whose announcement has an id up to this one took effect before whatever is sent from now on. Undefined
   * while nothing may be held.
   */
  get knownId(): StreamId | undefined {
    return this.#cursor.kind === "at" ? this.#knownId : undefined;
  }

  mayHold(key: string): boolean {
    return this.followers.some((follower) => follower.mayHold(key));
  }

  countCommands(commands: number): void {
    this.followers[0]?.countCommands(commands);
  }

  /** An announcement of this process has got this id. */
  announced(id: StreamId): void {
    this.#knownId = later(this.#knownId, id);
  }

  /** Whether the next look adds the first entry of the stream. */
  get isEmpty(): boolean {
    return this.#cursor.kind === "empty";
  }

  /** Whether a look is due. */
  get isDue(): boolean {
    if (this.#look?.claim.isHeld) return false;
    const boundMs = Math.min(...this.followers.map(({ maxStalenessMs }) => maxStalenessMs));
    // While nothing may be held, looks are tried more often than they would be due.
    const intervalMs = this.#cursor.kind === "at" ? boundMs : Math.min(boundMs, longestPauseMs);
    return performance.now() - this.#attemptedMs > intervalMs;
  }

  /** Begins a look whose command the caller sends. It ends with `seen` or `failed`. */
  begin(timeoutMs: number): Look {
    const claim = createClaim({ timeoutMs: timeoutMs + graceMs });
    const started = instant();
    this.#attemptedMs = started.monotonic;
    const [cursor, knownId, epoch] = [this.#cursor, this.#knownId, this.#epoch];
    const look: Look = { cursor, started, claim, knownId, epoch, hasSucceeded: false };
    this.#look = look;
    this.countCommands(1);
    return look;
  }

  /** The reply of a look has come. */
  seen(look: Look, reply: Reply | undefined): void {
    if (look.epoch === this.#epoch) this.#take(look, reply);
    look.claim.release();
  }

  /** No reply has come: whether what is held is still fresh can't be told. */
  failed(look: Look, error: unknown): void {
    const isAborted = isTransportError(error) && error.kind === "aborted";
    if (look.epoch === this.#epoch && !isAborted) this.reset();
    look.claim.release();
  }

  /**
   * Looks, or waits for the look that is under way, as long as the caller says.
   *
   * @returns whether it has succeeded.
   */
  async look(wait: CallOptions): Promise<boolean> {
    let look = this.#look;
    if (!look?.claim.isHeld) {
      look = this.begin(this.timeoutMs);
      void this.#run(look);
    }
    await look.claim.released(wait);
    return look.hasSucceeded;
  }

  /** The thread is lost: nothing is held, and the next look starts anew. */
  reset(): void {
    this.#cursor = unknown;
    this.#restart(undefined);
  }

  async #run(look: Look): Promise<void> {
    try {
      const [reply] = await this.#send([lookCommand(look.cursor)], { timeoutMs: this.timeoutMs });
      this.seen(look, reply);
    } catch (error) {
      this.failed(look, error);
    }
  }

  #take(look: Look, reply: Reply | undefined): void {
    const finding = readLook(look.cursor, reply, look.knownId);
    if (finding.kind === "lost") {
      this.reset();
      return;
    }
    if (finding.kind === "started") {
      this.#cursor = finding.cursor;
      const isThere = finding.cursor.kind === "at";
      this.#restart(isThere ? finding.cursor.id : undefined);
      if (!isThere) {
        // The next look goes on from here.
        this.#attemptedMs = Number.NEGATIVE_INFINITY;
        return;
      }
    } else {
      for (const { id, invalidations } of finding.entries) {
        for (const one of invalidations) for (const follower of this.followers) follower.invalidated(one, id);
      }
      // A look that began earlier may end later.
      if (this.#cursor.kind !== "at" || later(this.#cursor.id, finding.cursor.id) === finding.cursor.id) {
        this.#cursor = finding.cursor;
      }
      this.announced(finding.cursor.id);
    }
    look.hasSucceeded = true;
    for (const follower of this.followers) follower.looked(look.started);
  }

  #restart(knownId: StreamId | undefined): void {
    this.#knownId = knownId;
    this.#epoch++;
    for (const follower of this.followers) follower.reset();
  }
}

const feeds = new WeakMap<Transport, Feed>();

/** The invalidations of a server, one for all caches on the transport that carries trips there. */
export function feedOf(server: Transport, timeoutMs: number): Feed {
  const known = feeds.get(server);
  if (known) return known;
  const feed = new Feed(server, timeoutMs);
  feeds.set(server, feed);
  return feed;
}
