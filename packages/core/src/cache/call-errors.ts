import { TransportError } from "../errors/transport-error.ts";

/** What a call gets after its cache was closed. */
export const closedError = (transport: string): TransportError =>
  new TransportError("closed", "The cache was closed: make another one to go on", { transport, delivery: "none" });

/** What a call gets whose time was over before its batch could depart. */
export const lateError = (transport: string): TransportError =>
  new TransportError(
    "timeout",
    "The call's time was over before it could be sent (do less at once, or raise `timeout`)",
    {
      transport,
      delivery: "none",
      queued: true,
    },
  );

/** What a call gets when its signal fires. */
export const abortedError = (transport: string, signal: AbortSignal, delivery: "none" | "unknown"): TransportError =>
  new TransportError("aborted", "The call was aborted by its signal", { transport, delivery, cause: signal.reason });
