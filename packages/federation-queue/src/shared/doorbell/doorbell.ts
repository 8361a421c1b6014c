import type { Command, Transport } from "@continuum-cache/core";
import { type Claim, createClaim, createExpiringSet } from "@continuum-cache/core/kit";
import { createWake } from "../wake.ts";
import { keepListening } from "./keep-listening.ts";

/** A channel on which processes tell each other that there is something to do. A ring may get lost: who waits polls too. */
export interface Doorbell {
  /**
   * Tells everybody: the first ring at once, those that follow within milliseconds, or many of them, together. Never rejects.
   *
   * @param count - It stands for so many.
   */
  ring(note?: string, count?: number): void;
  /**
   * The same for a trip that is about to leave: the ring as a command that goes with it, where one is due. Else, and
   * then it is undefined, the notes wait for the next ring.
   */
  ringAlong(notes: Iterable<string>, count: number): Command | undefined;
  /**
   * Calls the listener with the notes of each ring, the own ones too, and with none when the stream broke or is back:
   * something may have been missed. Returns the function that stops it. The listener must not throw.
   */
  listen(onRing: (notes: readonly string[]) => void): () => void;
  /** Whether rings of others are heard now. */
  readonly isHeard: boolean;
  /** Stops listening and ringing; a ring that waits is sent. */
  close(): Promise<void>;
}

/** Rings are so far apart, */
const coalesceMs = 20;
/** unless there are so many to be told that one more command is nothing beside them, and somebody may have run out of work. */
const many = 50;

/**
 * @param channel - As it travels: a wire name.
 * @param onFailure - Told why the channel can't be listened to, once until it can: a user who may not subscribe polls only.
 */
export function createDoorbell(
  transport: Transport,
  channel: string,
  timeoutMs: number,
  onFailure: (error: unknown) => void = () => {},
): Doorbell {
  const listeners = new Set<(notes: readonly string[]) => void>();
  const notes = new Set<string>();
  const hurry = createWake();
  const underWay = createExpiringSet<Promise<unknown>>();
  let ringing: Claim | undefined;
  let isWaiting = false;
  let isClosed = false;
  /** So many wait to be told. */
  let waiting = 0;
  let rangMs = Number.NEGATIVE_INFINITY;
  let endStream: (() => Promise<void>) | undefined;

  const tellAll = (heard: readonly string[]): void => {
    for (const listener of [...listeners]) listener(heard);
  };

  /** `close` waits for it. It never rejects. */
  const track = (work: Promise<void>): void => {
    underWay.add(work, 2 * timeoutMs);
    void work.finally(() => underWay.delete(work));
  };

  const ringOut = async (): Promise<void> => {
    const own = createClaim();
    ringing = own;
    const waitMs = rangMs + coalesceMs - performance.now();
    // Those of one tick are one, too.
    isWaiting = waitMs > 0;
    await (isWaiting ? hurry.wait(waitMs) : Promise.resolve());
    own.release();
    if (ringing !== own) return;
    ringing = undefined;
    isWaiting = false;
    // A trip has taken the notes along.
    if (waiting === 0 && notes.size === 0) return;
    try {
      await transport.send([takeRing()], { timeoutMs });
    } catch {
      // Nobody has heard it: who waits looks by itself before long.
    }
  };
  const takeRing = (): Command => {
    rangMs = performance.now();
    waiting = 0;
    const text = writeNotes(notes);
    notes.clear();
    return ["PUBLISH", channel, text];
  };
  const add = (some: Iterable<string>, count: number): void => {
    for (const note of some) notes.add(note);
    waiting += count;
  };
  const ringSoon = (): void => {
    if (!ringing?.isHeld) track(ringOut());
    if (isWaiting && waiting >= many) hurry.wake();
  };

  const doorbell: { -readonly [Name in keyof Doorbell]: Doorbell[Name] } = {
    isHeard: false,
    ring(note, count = 1) {
      if (isClosed) return;
      add(note === undefined ? [] : [note], count);
      ringSoon();
    },
    ringAlong(some, count) {
      if (isClosed) return undefined;
      add(some, count);
      if (waiting >= many || performance.now() >= rangMs + coalesceMs) return takeRing();
      ringSoon();
      return undefined;
    },
    listen(onRing) {
      if (isClosed) return () => {};
      // The same function may listen twice: each has a place of its own.
      const listener = (heard: readonly string[]): void => onRing(heard);
      listeners.add(listener);
      endStream ??= keepListening(transport, channel, timeoutMs, {
        message: ({ data }) => tellAll(readNotes(data)),
        changed(isOpen) {
          doorbell.isHeard = isOpen;
          tellAll([]);
        },
        failed: onFailure,
      });
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        if (endStream) track(endStream());
        endStream = undefined;
        doorbell.isHeard = false;
      };
    },
    async close() {
      isClosed = true;
      hurry.wake();
      listeners.clear();
      doorbell.isHeard = false;
      await Promise.all([...underWay, endStream?.()]);
      endStream = undefined;
    },
  };
  return doorbell;
}

/** The notes of a ring as one line of text, which every transport carries. */
const writeNotes = (notes: Iterable<string>): string => JSON.stringify([...notes]);

/** More than this no honest ring brings: what is beyond it is found by looking. */
const mostLength = 1 << 20;
const mostNotes = 10_000;

/** The notes of a ring. What can't be read counts as a ring without a note. */
export function readNotes(data: string | Uint8Array): readonly string[] {
  if (typeof data !== "string" || data.length > mostLength) return [];
  try {
    const notes: unknown = JSON.parse(data);
    return Array.isArray(notes) ? notes.slice(0, mostNotes).filter((note) => typeof note === "string") : [];
  } catch {
    // A ring without a note, from another client.
    return [];
  }
}
