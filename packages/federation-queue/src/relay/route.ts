import type { Command } from "@continuum-cache/core";
import { nobody, type Registered, readRegistry } from "../log/registry.ts";
import { noId, writeId } from "../log/stream-id.ts";
import { readStreamInfo } from "../log/stream-info.ts";
import { timeMs, unwrap } from "../shared/replies.ts";
import { isAfterId } from "./id-text.ts";
import { registerScript } from "./register-script.ts";
import type { RelaySettings } from "./settings.ts";

/** Which origins a relay copies, and how far each has come at the destination. */
export interface Route {
  readonly lanes: readonly Lane[];
  knows(origin: string): boolean;
  copies(origin: string): boolean;
  /** Asks both sides anew. @throws TransportError or CommandError. */
  refresh(): Promise<void>;
  /** Looks at streams that gave nothing although there may be more: what they end with is what is gone. */
  check(): Promise<readonly Ending[]>;
}

/** One origin's stream. */
export interface Lane {
  readonly origin: string;
  readonly key: string;
  /** The last id at the destination. */
  last: string;
}

/** A stream whose last entries are gone. */
export interface Ending {
  readonly lane: Lane;
  readonly last: string;
}

/** Told of what is found. */
export interface RouteListener {
  /** The destination has lost what it had. */
  wentBack(origin: string): void;
  /** The same name is held on both sides. */
  conflict(origin: string): void;
}

const longestTrimPauseMs = 3_600_000;
const beginning = writeId(noId);

export function createRoute({ from, to, keys, retentionMs }: RelaySettings, listener: RouteListener): Route {
  const lanes = new Map<string, Lane>();
  /** Origins whose process is at the destination: what it has of them is more than any other place has. */
  const atHome = new Set<string>();
  const conflicts = new Set<string>();
  const registered = new Map<string, Registered>();
  /** Lanes to be looked at, should they have nothing to give. */
  const doubtful = new Set<Lane>();
  const trimPauseMs = Math.min(longestTrimPauseMs, retentionMs / 10);
  let trimmedMs = performance.now();

  const note = (lane: Lane, now: Registered): void => {
    const before = registered.get(lane.origin);
    registered.set(lane.origin, now);
    if (before?.sinceMs !== now.sinceMs || isAfterId(writeId(now.last), lane.last)) doubtful.add(lane);
  };

  return {
    get lanes() {
      return [...lanes.values()];
    },
    knows: (origin) => lanes.has(origin) || atHome.has(origin),
    copies: (origin) => lanes.has(origin),
    async refresh() {
      const questions: readonly Command[] = [["HGETALL", keys.registry], ["TIME"]];
      const [source, destination] = await Promise.all([from.link.send(questions), to.link.send(questions)]);
      const there = readRegistry(unwrap(source[0]));
      const here = readRegistry(unwrap(destination[0]));
      const isHeld = (origin: Registered | undefined, nowMs: number): boolean =>
        origin !== undefined && origin.holder !== nobody && origin.untilMs > nowMs;
      const [thereMs, hereMs] = [timeMs(unwrap(source[1])), timeMs(unwrap(destination[1]))];

      atHome.clear();
      for (const [origin, registration] of there) {
        if (!isHeld(here.get(origin), hereMs)) continue;
        atHome.add(origin);
        lanes.delete(origin);
        if (!isHeld(registration, thereMs)) conflicts.delete(origin);
        else if (!conflicts.has(origin)) {
          conflicts.add(origin);
          listener.conflict(origin);
        }
      }
      const copied = [...there].filter(([origin]) => !atHome.has(origin));
      const unknown = copied.filter(([origin, { sinceMs }]) => {
        const known = here.get(origin);
        return !known || (known.holder === nobody && known.sinceMs < sinceMs);
      });
      await Promise.all(
        unknown.map(([origin, { sinceMs, last }]) =>
          to.link.run(registerScript, [keys.registry], [origin, sinceMs, writeId(last)], { together: true }),
        ),
      );

      const isTrimDue = performance.now() - trimmedMs >= trimPauseMs;
      const floorMs = Math.max(0, hereMs - retentionMs);
      const commands = copied.flatMap(([origin]): Command[] => {
        const key = keys.stream(origin);
        const look: Command = ["XINFO", "STREAM", key];
        return isTrimDue ? [look, ["XTRIM", key, "MINID", floorMs]] : [look];
      });
      const replies = await to.link.send(commands);
      if (isTrimDue) trimmedMs = performance.now();
      for (const [at, [origin, registration]] of copied.entries()) {
        const last = readStreamInfo(replies[isTrimDue ? 2 * at : at]).lastId;
        const lane = lanes.get(origin) ?? { origin, key: keys.stream(origin), last: beginning };
        if (!lanes.has(origin)) doubtful.add(lane);
        lanes.set(origin, lane);
        if (isAfterId(lane.last, last)) {
          listener.wentBack(origin);
          doubtful.add(lane);
        }
        lane.last = last;
        note(lane, registration);
      }
    },
    async check() {
      const suspects = [...doubtful].filter((lane) => lanes.get(lane.origin) === lane);
      const infos = await from.link.send(suspects.map(({ key }): Command => ["XINFO", "STREAM", key]));
      doubtful.clear();
      return suspects.flatMap((lane, at) => {
        const { lastId: last, lastEntryId } = readStreamInfo(infos[at]);
        // What is there will be read.
        const isReadable = lastEntryId !== undefined && isAfterId(lastEntryId, lane.last);
        return isAfterId(last, lane.last) && !isReadable ? [{ lane, last }] : [];
      });
    },
  };
}
