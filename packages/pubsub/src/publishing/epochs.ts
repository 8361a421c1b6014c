import type { Position } from "../types.ts";

/** What a publisher knows of a channel's history, so that it need not ask. */
export interface KnownEpoch {
  /** 0 when nothing is known. */
  readonly epoch: number;
  /** The last number that this publisher was given in it; -1 when it was none. */
  readonly lastSeq: number;
  /** The server's time in milliseconds since 1970, as far as it is known from here; 0 when it is not. */
  readonly serverMs: number;
  /** Whether the history's upkeep is due; then it is not for the next `everyMs`. */
  takeUpkeep(everyMs: number): boolean;
  /** @param serverMs - The server's time, when it was asked for (else 0). */
  learn(position: Position, serverMs: number): void;
}

export interface Epochs {
  of(channel: string): KnownEpoch;
}

/** More channels than this are not kept in mind; one that is forgotten costs its next publish two commands more. */
const maxChannels = 10_000;

export function createEpochs(): Epochs {
  const channels = new Map<string, KnownEpoch>();
  /** The one that was asked for last, which stands last already. */
  let latest: { readonly channel: string; readonly known: KnownEpoch } | undefined;
  /** The server's clock less this machine's steady one: a wall clock that is set changes nothing. */
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
        // Answers may overtake each other.
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
      // The latest asked for stands last, so the first is the one to forget.
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
