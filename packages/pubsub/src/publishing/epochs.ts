import type { Position } from "../types.ts";

/** What a publisher knows of a channel's history, so it need not ask the server. */
export interface KnownEpoch {
  /** 0 when none is known. */
  readonly epoch: number;
  /** The last number that this publisher was given in the epoch; -1: none. */
  readonly lastSeq: number;
  /** An estimate of the server's time in milliseconds since 1970; 0 when there is none. */
  readonly serverMs: number;
  /** Whether the history's upkeep is due. If so, it is not due again for the next `everyMs`. */
  takeUpkeep(everyMs: number): boolean;
  /** @param serverMs - The server's time, if it was asked for (else 0). */
  learn(position: Position, serverMs: number): void;
}

export interface Epochs {
  of(channel: string): KnownEpoch;
}

/** The most channels that are remembered. The next publish to a forgotten one costs two commands more. */
const maxChannels = 10_000;

export function createEpochs(): Epochs {
  const channels = new Map<string, KnownEpoch>();
  /** The channel that was asked for last, which is already the last entry. */
  let latest: { readonly channel: string; readonly known: KnownEpoch } | undefined;
  /** The server's clock minus this machine's monotonic clock, which no change of the wall clock moves. */
  let offsetMs: number | undefined;

  const create = (): KnownEpoch => {
    let epoch = 0;
    let seq = -1;
    let upkeepAtMs = Number.NEGATIVE_INFINITY;
    return {
      get epoch() {
        return epoch;
      },
      get lastSeq() {
        return seq;
      },
      get serverMs() {
        return offsetMs === undefined ? 0 : Math.round(performance.now() + offsetMs);
      },
      takeUpkeep(everyMs) {
        const nowMs = performance.now();
        if (nowMs < upkeepAtMs) return false;
        upkeepAtMs = nowMs + everyMs;
        return true;
      },
      learn(position, serverMs) {
        // Replies may overtake each other.
        if (position.epoch > epoch) seq = -1;
        epoch = Math.max(epoch, position.epoch);
        if (position.epoch === epoch) seq = Math.max(seq, position.seq);
        if (serverMs > 0) offsetMs = serverMs - performance.now();
      },
    };
  };

  return {
    of(channel) {
      if (latest?.channel === channel) return latest.known;
      const known = channels.get(channel) ?? create();
      // The entries are in the order of their use: the first is the one to forget.
      channels.delete(channel);
      channels.set(channel, known);
      latest = { channel, known };
      if (channels.size > maxChannels) {
        for (const oldest of channels.keys()) {
          channels.delete(oldest);
          break;
        }
      }
      return known;
    },
  };
}
