/** What a publisher knows of a channel's history, so that it need not ask. */
export interface KnownEpoch {
  /** 0 when nothing is known. */
  readonly epoch: number;
  /** The server's time in milliseconds since 1970, as far as it is known from here; 0 when it is not. */
  readonly serverMs: number;
  /** Whether the history's upkeep is due; then it is not for the next `everyMs`. */
  takeUpkeep(everyMs: number): boolean;
  /** @param serverMs - The server's time, when it was asked for (else 0). */
  learn(epoch: number, serverMs: number): void;
  /** A publish has failed: nothing is certain any more. */
  forget(): void;
}

export interface Epochs {
  of(channel: string): KnownEpoch;
}

/** More channels than this are not kept in mind; one that is forgotten costs its next publish two commands more. */
const maxChannels = 10_000;

export function createEpochs(): Epochs {
  const channels = new Map<string, KnownEpoch>();
  /** The server's clock less this machine's steady one: a wall clock that is set changes nothing. */
  let offsetMs: number | undefined;

  const create = (): KnownEpoch => {
    let epoch = 0;
    let upkeepAtMs = Number.NEGATIVE_INFINITY;
    return {
      get epoch() {
        return epoch;
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
      learn(newEpoch, serverMs) {
        epoch = Math.max(epoch, newEpoch);
        if (serverMs > 0) offsetMs = serverMs - performance.now();
      },
      forget() {
        epoch = 0;
        upkeepAtMs = Number.NEGATIVE_INFINITY;
      },
    };
  };

  return {
    of(channel) {
      const known = channels.get(channel) ?? create();
      // The latest asked for stands last, so the first is the one to forget.
      channels.delete(channel);
      channels.set(channel, known);
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
