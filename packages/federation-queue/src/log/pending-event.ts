import { isTransportError, TransportError } from "@continuum-cache/core";
import { fullError, type OutboxLimits } from "../shared/outbox.ts";
import type { StreamId } from "./stream.ts";
import type { Appended } from "./types.ts";

/** An event on its way into the log. */
export interface PendingEvent {
  readonly text: string;
  /** How much memory it takes, roughly. */
  readonly bytes: number;
  /** When it was appended, by the hybrid clock. */
  readonly atMs: number;
  /** Whether it may wait in this process while Redis is away. */
  readonly mayWait: boolean;
  /** Its place, once it has one; final only when it `isFixed` or was accepted. */
  id?: StreamId;
  /** It was sent under this id and the outcome is unknown: no other event may get the id. */
  isFixed: boolean;
  /** It is on its way now. */
  isSent: boolean;
  /** Redis had accepted it once. */
  isRepeat: boolean;
  state: PendingState;
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

export type PendingState =
  /** The caller waits for the result. */
  | "awaited"
  /** The caller was told that the event waits in this process (`pending: true`). */
  | "kept"
  /** The caller knows the final result. */
  | "settled";

/** No caller waits for it any more, and it was certainly not appended. */
export const isDropped = ({ state, isFixed, isSent, isRepeat }: PendingEvent): boolean =>
  state === "settled" && !isFixed && !isSent && !isRepeat;

/** What an event takes besides its text, roughly. */
const overheadBytes = 300;

/** A new event, and the promise that its caller waits for. */
export function createPendingEvent(text: string, atMs: number, mayWait: boolean): [PendingEvent, Promise<Appended>] {
  let resolve: PendingEvent["resolve"] = () => {};
  let reject: PendingEvent["reject"] = () => {};
  const promise = new Promise<Appended>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  const bytes = new TextEncoder().encode(text).length + overheadBytes;
  const state = "awaited";
  return [
    { text, bytes, atMs, mayWait, isFixed: false, isSent: false, isRepeat: false, state, resolve, reject },
    promise,
  ];
}

/** Gives the callers of appends their results. */
export interface AppendResults {
  /** How many events wait in this process. */
  readonly keptCount: number;
  /** The event was appended. */
  resolve(event: PendingEvent): void;
  /** The event failed for now: it waits, when that is allowed and there is room, or is rejected. */
  keep(event: PendingEvent, cause: unknown, isRetryable: boolean): void;
  /** The event failed for good. Only a caller that still waits is told. */
  reject(event: PendingEvent, error: unknown): void;
  /** The event cannot be appended and no longer waits. @returns whether it waited, so that no caller hears of it. */
  discard(event: PendingEvent, error: unknown): boolean;
}

/**
 * @param transport - Its name, for errors.
 * @param onKept - Called when one more event waits in this process.
 */
export function createAppendResults(
  transport: string,
  origin: string,
  { maxItems, maxBytes }: OutboxLimits,
  onKept: (count: number) => void,
): AppendResults {
  let keptCount = 0;
  let keptBytes = 0;

  const release = ({ state, bytes }: PendingEvent): boolean => {
    if (state !== "kept") return false;
    keptCount--;
    keptBytes -= bytes;
    return true;
  };
  const reject = (event: PendingEvent, error: unknown): void => {
    if (event.state !== "awaited") return;
    event.state = "settled";
    event.reject(errorFor(event, error, transport));
  };

  return {
    get keptCount() {
      return keptCount;
    },
    resolve(event) {
      release(event);
      if (event.state === "awaited" && event.id) event.resolve({ origin, seq: event.id.seq, atMs: event.id.atMs });
      event.state = "settled";
      event.isSent = false;
    },
    keep(event, cause, isRetryable) {
      if (event.state !== "awaited") return;
      if (!event.mayWait || !isRetryable) reject(event, cause);
      else if (keptCount >= maxItems || keptBytes + event.bytes > maxBytes)
        reject(event, fullError(transport, 1, cause));
      else {
        keptCount++;
        keptBytes += event.bytes;
        event.state = "kept";
        event.resolve({ origin, atMs: event.atMs, pending: true });
        onKept(keptCount);
      }
    },
    reject,
    discard(event, error) {
      const wasKept = release(event);
      event.isFixed = false;
      event.isSent = false;
      reject(event, error);
      event.state = "settled";
      return wasKept;
    },
  };
}

/** The error for one event. Its `delivery` says whether that event may be in the log. */
function errorFor({ isFixed, isSent }: PendingEvent, error: unknown, transport: string): unknown {
  const delivery = isFixed || isSent ? "unknown" : "none";
  if (isTransportError(error)) {
    if (error.delivery === delivery) return error;
    return new TransportError(error.kind, error.message, { transport: error.transport, delivery, cause: error });
  }
  // Any other error says that nothing was appended.
  if (delivery === "none") return error;
  const message = "The event may have been appended: the reply to it was lost, and another try was refused";
  return new TransportError("unreachable", message, { transport, delivery, cause: error });
}

export const isTooLarge = (error: unknown): boolean => isTransportError(error) && error.kind === "too-large";

export const blockedError = (origin: string, lastId: string): Error =>
  new Error(
    `The stream of "${origin}" ends with the entry ${lastId.slice(0, 50)}, which this log did not write. Redis ` +
      "accepts no entry behind it: delete that stream, or choose another `instanceId`",
  );
