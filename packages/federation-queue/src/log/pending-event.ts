import { isCommandError, isTransportError, TransportError } from "@continuum-cache/core";
import type { OutboxLimits } from "../shared/outbox.ts";
import type { StreamId } from "./stream.ts";
import type { Appended } from "./types.ts";

/** An event on its way into the log. */
export interface LogItem {
  readonly text: string;
  /** What it takes in this process. */
  readonly bytes: number;
  /** When it was appended, by the hybrid clock. */
  readonly atMs: number;
  /** It may wait here when Redis is away. */
  readonly mayWait: boolean;
  /** Its place, once it has one; final only when it `isFixed` or was accepted. */
  id?: StreamId;
  /** It was sent under this id, and nobody knows what became of it: no other event may have the id. */
  isFixed: boolean;
  /** It is on its way. */
  isSent: boolean;
  /** Redis had accepted it once. */
  isRepeat: boolean;
  /** "asked": its caller waits. "kept": its caller knows that it waits. "told": its caller knows of the end, whatever it is. */
  state: "asked" | "kept" | "told";
  resolve(appended: Appended): void;
  reject(error: unknown): void;
}

/** Nobody wants it any more, and it is certain that it was not appended. */
export const isDropped = ({ state, isFixed, isSent, isRepeat }: LogItem): boolean =>
  state === "told" && !isFixed && !isSent && !isRepeat;

/** The error as it is for one item: whether that may be in the log. */
export function errorFor(item: LogItem, error: unknown, transport: string): unknown {
  if (!isTransportError(error)) {
    // Any other error says that nothing was appended.
    if (!item.isFixed && !item.isSent) return error;
    const message = "Nobody knows whether the event was appended: the answer to it was lost, and now it is refused";
    return new TransportError("unreachable", message, { transport, delivery: "unknown", cause: error });
  }
  const delivery = item.isFixed || item.isSent ? "unknown" : "none";
  if (error.delivery === delivery) return error;
  return new TransportError(error.kind, error.message, { transport: error.transport, delivery, cause: error });
}

/** What is kept beside an event's text, roughly. */
const overheadBytes = 300;

/** An event that its caller waits for, and what the caller gets. */
export function createLogItem(text: string, atMs: number, mayWait: boolean): [LogItem, Promise<Appended>] {
  let resolve: LogItem["resolve"] = () => {};
  let reject: LogItem["reject"] = () => {};
  const answer = new Promise<Appended>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  const bytes = new TextEncoder().encode(text).length + overheadBytes;
  const state = "asked";
  return [
    { text, bytes, atMs, mayWait, isFixed: false, isSent: false, isRepeat: false, state, resolve, reject },
    answer,
  ];
}

/** Refusals that say nothing against the event: Redis may take it later. */
export const isPassing = (error: unknown): boolean =>
  isCommandError(error) &&
  ["OOM", "MISCONF", "BUSY", "NOREPLICAS", "READONLY", "LOADING", "MASTERDOWN", "UNKILLABLE"].includes(error.code);

export const isTooLarge = (error: unknown): boolean => isTransportError(error) && error.kind === "too-large";

export const fullError = (transport: string, cause: unknown): TransportError =>
  new TransportError(
    isTransportError(cause) ? cause.kind : "unreachable",
    "Redis does not answer, and there is no room for more to wait for it: try again later, or raise `outbox`",
    { transport, delivery: "none", cause },
  );

export const timeoutError = (transport: string, timeoutMs: number): TransportError =>
  new TransportError("timeout", `No answer within ${timeoutMs} ms`, { transport });

export const abortedError = (transport: string): TransportError =>
  new TransportError("aborted", "The append was aborted", { transport, delivery: "none" });

export const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The log was closed", { transport, delivery: "none" });

export const blockedError = (origin: string, lastId: string): Error =>
  new Error(
    `The stream of "${origin}" ends with the entry ${lastId.slice(0, 50)}, which no log has written, and Redis takes nothing behind it: ` +
      "delete that stream, or choose another `instanceId`",
  );

/** Counts what waits in this process, so that it stays within bounds. */
export interface WaitingRoom {
  readonly count: number;
  /** `false` when there is no room, and nothing has changed. */
  enter(bytes: number): boolean;
  leave(bytes: number): void;
}

export function createWaitingRoom({ maxItems, maxBytes }: OutboxLimits): WaitingRoom {
  let count = 0;
  let used = 0;
  return {
    get count() {
      return count;
    },
    enter(bytes) {
      if (count >= maxItems || used + bytes > maxBytes) return false;
      count++;
      used += bytes;
      return true;
    },
    leave(bytes) {
      count--;
      used -= bytes;
    },
  };
}
