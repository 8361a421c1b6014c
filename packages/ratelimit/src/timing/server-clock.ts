/** The bounds of the server's time, in microseconds since 1970. */
export interface TimeBounds {
  readonly earliestUs: number;
  readonly latestUs: number;
}

/** Estimates the time of the server, with bounds on the error. */
export interface ServerClock {
  /** The bounds of the server's time now. Until the server was asked, this machine's own time. */
  now(): TimeBounds;
  /**
   * The same, or undefined when it can't be relied on: the server was not asked, or something has happened to either
   * clock since.
   */
  trusted(): TimeBounds | undefined;
  /**
   * The time to send with a decision on windows of this length. Undefined when the server must read its own clock: the
   * bounds are too far apart for that window, or it is time to ask again.
   */
  estimate(windowUs: number): TimeBounds | undefined;
  /**
   * Begins a request whose answer may hold the server's time. Returns the function that takes that time.
   * @param asksTime - Whether the request asks for the time in any case: others then need not meanwhile.
   */
  asking(asksTime: boolean): (serverUs: number) => void;
  /** Another server, with another clock, may answer from now on: it is asked before the bounds are used again. */
  doubt(): void;
}

/** One answer of the server. */
interface Reading {
  /** Bounds of the difference between the server's clock and this machine's monotonic one, in microseconds. */
  readonly leastUs: number;
  readonly mostUs: number;
  readonly atMs: number;
  /** How far this machine's two clocks were apart then. */
  readonly apartMs: number;
}

/** The server is asked again after `askEveryMs`, or after `askAgainMs` when the last request got no answer. */
const askEveryMs = 60_000;
const askAgainMs = 1_000;
/** The clocks of two machines drift apart by at most this part of the time that passes. */
const drift = 100e-6;
/** When a machine's two clocks differ by more than this, one was set, or the machine slept. */
const largestStepMs = 100;
/** A reading that is inexact by less than this clears a doubt. */
const leastDoubtUs = 10_000;
/** The wall clock shows whole milliseconds. */
const wallClockStepMs = 1;

/** A window may be treated as longer by 1/100 of it, or by 2 ms if that is more: calls become free that late. */
const partOfWindow = 100;
const toleranceUs = (windowUs: number): number => Math.min(windowUs / 4, Math.max(2_000, windowUs / partOfWindow));

const widthOf = ({ leastUs, mostUs }: Pick<Reading, "leastUs" | "mostUs">): number => mostUs - leastUs;

/** How far this machine's two clocks are apart, in milliseconds. */
const apart = (): number => Date.now() - performance.now();
const stepMs = ({ apartMs }: Reading, nowApartMs = apart()): number =>
  Math.max(0, Math.abs(nowApartMs - apartMs) - wallClockStepMs);

/** By how much the error of a reading has grown since, in microseconds. */
const errorUs = ({ atMs }: Reading, nowMs: number, stepsMs: number): number =>
  ((nowMs - atMs) * drift + stepsMs) * 1_000;

/** The reading, with bounds widened by the error that has grown since. */
const aged = (known: Reading): Reading => {
  const atMs = performance.now();
  const error = errorUs(known, atMs, stepMs(known));
  return { leastUs: known.leastUs - error, mostUs: known.mostUs + error, atMs, apartMs: known.apartMs };
};

const boundsOf = (known: Reading, nowMs: number, stepsMs: number): TimeBounds => {
  const error = errorUs(known, nowMs, stepsMs);
  // A microsecond more on each side is the error of the arithmetic itself.
  return {
    earliestUs: Math.floor(nowMs * 1_000 + known.leastUs - error) - 1,
    latestUs: Math.ceil(nowMs * 1_000 + known.mostUs + error) + 1,
  };
};

/** The reading that an answer gives: the server read its clock between the request and the answer. */
function readingOf(sentMs: number, serverUs: number, atMs: number): Reading {
  const driftUs = (atMs - sentMs) * drift * 1_000;
  return {
    leastUs: serverUs - atMs * 1_000 - driftUs,
    mostUs: serverUs - sentMs * 1_000 + driftUs,
    atMs,
    apartMs: apart(),
  };
}

/**
 * Uses the monotonic clock (`performance.now`), so that a wrong or adjusted wall clock changes nothing.
 *
 * The server reads its clock at some time between the request and the answer: each answer bounds the difference of the
 * two clocks from both sides, and several answers together bound it better.
 *
 * @param isOwn - Whether the server is this process, so that there is no difference.
 */
export function createServerClock(isOwn: () => boolean = () => false): ServerClock {
  let reading: Reading | undefined;
  let isDoubted = false;
  let nextAskMs = 0;

  /** This machine's own time, without an error, since no other clock is involved. */
  const ownUs = (): number => {
    if (!reading || stepMs(reading) > largestStepMs) {
      const offsetUs = apart() * 1_000;
      reading = { leastUs: offsetUs, mostUs: offsetUs, atMs: performance.now(), apartMs: apart() };
    }
    return Math.round(performance.now() * 1_000 + reading.leastUs);
  };

  const now = (): TimeBounds => {
    if (isOwn()) {
      const timeUs = ownUs();
      return { earliestUs: timeUs, latestUs: timeUs };
    }
    const nowMs = performance.now();
    const wallMs = Date.now();
    if (!reading) return { earliestUs: wallMs * 1_000, latestUs: wallMs * 1_000 };
    return boundsOf(reading, nowMs, stepMs(reading, wallMs - nowMs));
  };

  const trusted = (): TimeBounds | undefined => {
    if (isOwn()) return now();
    if (!reading || isDoubted) return undefined;
    const nowMs = performance.now();
    const stepsMs = stepMs(reading, Date.now() - nowMs);
    return stepsMs <= largestStepMs ? boundsOf(reading, nowMs, stepsMs) : undefined;
  };

  const take = (sentMs: number, serverUs: number): void => {
    const atMs = performance.now();
    const news = readingOf(sentMs, serverUs, atMs);
    const known = reading && stepMs(reading) <= largestStepMs ? aged(reading) : undefined;
    nextAskMs = atMs + askEveryMs;
    if (known && known.leastUs <= news.mostUs && news.leastUs <= known.mostUs) {
      reading = {
        ...news,
        leastUs: Math.max(news.leastUs, known.leastUs),
        mostUs: Math.min(news.mostUs, known.mostUs),
      };
      // A slow answer agrees with every clock, so it clears no doubt.
      isDoubted &&= widthOf(news) > Math.max(leastDoubtUs, 4 * widthOf(known));
    } else {
      // The server's clock was set, another server has answered, or this machine was suspended unnoticed.
      reading = news;
      isDoubted = false;
    }
  };

  return {
    now,
    trusted,
    estimate(windowUs) {
      if (isOwn()) return now();
      const bounds = performance.now() < nextAskMs ? trusted() : undefined;
      return bounds && bounds.latestUs - bounds.earliestUs <= toleranceUs(windowUs) ? bounds : undefined;
    },
    asking(asksTime) {
      const sentMs = performance.now();
      if (asksTime) nextAskMs = Math.max(nextAskMs, sentMs + askAgainMs);
      return (serverUs) => take(sentMs, serverUs);
    },
    doubt() {
      isDoubted = true;
    },
  };
}
