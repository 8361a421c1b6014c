import { TransportError } from "@continuum-cache/core";

// The errors that a transport with a fallback rejects with or reports.

export const pendingKeyError = (transport: string): TransportError =>
  new TransportError(
    "unreachable",
    "This process wrote to this key while the primary was away, and the primary does not know it yet: " +
      "wait for `recovered`, or call without `fallback: false`",
    { transport, delivery: "none" },
  );

export const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The transport was closed", { transport, delivery: "none" });

export const unreadError = (transport: string): TransportError =>
  new TransportError("timeout", "The outage journal of an earlier process is still being read: try again", {
    transport,
    delivery: "none",
  });

export const restartError = (transport: string): TransportError =>
  new TransportError("unreachable", "An earlier process ended before it had replayed its journal to the primary", {
    transport,
    delivery: "none",
  });

export const lostJournalError = (cause: unknown): Error =>
  new Error("The outage journal of an earlier process can't be read: what it did not replay to the primary is lost", {
    cause,
  });

export const remainderError = (pending: number, isStored: boolean): Error =>
  new Error(
    `Closed with ${pending} mutation(s) that were not replayed to the primary: ` +
      (isStored ? "they stay in the journal's store" : "they are lost"),
  );
