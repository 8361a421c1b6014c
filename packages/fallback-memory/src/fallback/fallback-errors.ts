import { TransportError } from "@continuum-cache/core";

// What a transport with a fallback rejects with, or tells.

export const untoldError = (transport: string): TransportError =>
  new TransportError(
    "unreachable",
    "The primary has yet to be told what this process has written to this key while it was away (wait for `recovered`, or call without `fallback: false`)",
    { transport, delivery: "none" },
  );

export const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The transport was closed", { transport, delivery: "none" });

export const unreadError = (transport: string): TransportError =>
  new TransportError("timeout", "The outage journal that an earlier process has left is still being read", {
    transport,
    delivery: "none",
  });

export const restartError = (transport: string): TransportError =>
  new TransportError("unreachable", "An earlier process ended before it had told the primary everything", {
    transport,
    delivery: "none",
  });

export const lostJournalError = (cause: unknown): Error =>
  new Error("The outage journal of an earlier process can't be read: what it has not told the primary is lost", {
    cause,
  });

export const remainderError = (pending: number, isStored: boolean): Error =>
  new Error(
    `Closed with ${pending} mutation(s) that the primary was not told of: ${isStored ? "they wait in the journal's store" : "they are lost"}`,
  );
