import { type Command, isTransportError } from "@continuum-cache/core";
import { unwrap } from "@continuum-cache/core/kit";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import type { StreamEntry } from "./stream.ts";

/** What streams have behind given ids. */
export interface StreamPage {
  readonly rows: readonly (readonly [key: string, entries: readonly StreamEntry[]])[];
  /** Whether there may be more. */
  readonly isFull: boolean;
}

/** Reads many streams with one command, with fewer entries of each after a reply that was too large. */
export interface StreamReader {
  read(
    from: readonly { readonly key: string; readonly id: string }[],
    options?: PrimaryCallOptions,
  ): Promise<StreamPage>;
  /** Reads as many entries as at first again. */
  reset(): void;
}

/** @param batch - How many entries of each stream to read at once. */
export function createStreamReader(link: PrimaryClient, batch: number): StreamReader {
  let count = batch;
  return {
    async read(from, options) {
      const streams = [...from.map(({ key }) => key), ...from.map(({ id }) => id)];
      try {
        const [reply] = await link.send([["XREAD", "COUNT", count, "STREAMS", ...streams] as Command], options);
        const rows = (unwrap(reply) ?? []) as StreamPage["rows"];
        return { rows, isFull: rows.some(([, entries]) => entries.length >= count) };
      } catch (error) {
        if (!isTransportError(error) || error.kind !== "too-large" || count === 1) throw error;
        count = Math.ceil(count / 4);
        return { rows: [], isFull: true };
      }
    },
    reset() {
      count = batch;
    },
  };
}
