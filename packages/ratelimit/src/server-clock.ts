/** The time of the server, known from here. */
export interface ServerClock {
  /** Whether it is time to ask the server. */
  isDue(): boolean;
  /** The server's time, in microseconds since 1970; this machine's own until the server was asked. */
  nowUs(): number;
  /** Whether the server was ever asked. */
  readonly isSet: boolean;
  /** Begins a trip that asks for the time. Returns what takes its answer, if there is one. */
  asking(): (serverUs?: number) => void;
}

/** What the server once said. */
interface Reading {
  /** Its clock less this machine's steady one. */
  readonly offsetUs: number;
  /** By how much that may be wrong: the server read its clock at some time of the trip, and the middle is taken. */
  readonly errorMs: number;
  readonly atMs: number;
  /** How far this machine's two clocks were apart then. */
  readonly apartMs: number;
}

/** After this the server is asked again. */
const roundMs = 60_000;
/** In each round so often at once, until a reading is good: first trips are long, since they open connections. */
const asksAtOnce = 4;
const goodErrorMs = 2;
/** Then after this time, and twice as long each time. */
const firstPauseMs = 1_000;
/** Two machines drift apart by no more than this in a millisecond. */
const drift = 50e-6;
/** Two clocks of a machine that differ by more than this: one was set, or the machine slept. */
const largestStepMs = 100;

/** It stands on the clock that nobody sets (`performance.now`), so that a wrong or adjusted wall clock changes nothing. */
export function createServerClock(): ServerClock {
  let reading: Reading | undefined;
  let roundFromMs = Number.NEGATIVE_INFINITY;
  let asks = 0;
  let nextAskMs = 0;

  const apart = (): number => Date.now() - performance.now();
  const hasStepped = (): boolean => reading !== undefined && Math.abs(apart() - reading.apartMs) > largestStepMs;

  return {
    isDue() {
      if (!reading || hasStepped() || performance.now() - roundFromMs >= roundMs) return true;
      return reading.errorMs > goodErrorMs && performance.now() >= nextAskMs;
    },
    nowUs: () => Math.round(reading ? performance.now() * 1_000 + reading.offsetUs : Date.now() * 1_000),
    get isSet() {
      return reading !== undefined;
    },
    asking() {
      const sentMs = performance.now();
      if (sentMs - roundFromMs >= roundMs || hasStepped()) {
        roundFromMs = sentMs;
        asks = 0;
      }
      asks++;
      nextAskMs = sentMs + (asks < asksAtOnce ? 0 : firstPauseMs * 2 ** (asks - asksAtOnce));
      return (serverUs) => {
        if (serverUs === undefined) return;
        const atMs = performance.now();
        const errorMs = (atMs - sentMs) / 2;
        const isBetter = !reading || errorMs < reading.errorMs + (atMs - reading.atMs) * drift;
        if (!isBetter && !hasStepped()) return;
        const offsetUs = serverUs - ((sentMs + atMs) / 2) * 1_000;
        reading = { offsetUs, errorMs, atMs, apartMs: apart() };
      };
    },
  };
}
