import { type Transport, TransportError } from "@continuum-cache/core";

/** It broke while more was to be heard through it. */
export const brokenError = ({ name }: Transport): TransportError =>
  new TransportError("unreachable", "The stream of messages broke while it was to listen to more", { transport: name });

/** On the edge a stream ends with the request that has opened it. */
export const vanishedError = ({ name }: Transport): TransportError =>
  new TransportError("unreachable", "The stream of messages has ended with the request that had opened it", {
    transport: name,
  });

/** No echo came. */
export const silentError = ({ name }: Transport): TransportError =>
  new TransportError("timeout", "The stream of messages has gone silent: it no longer hears this process itself", {
    transport: name,
  });
