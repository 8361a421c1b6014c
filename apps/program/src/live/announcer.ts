import { type Claim, createClaim, createExpiringSet } from "@continuum-cache/core/kit";
import type { ReplayOptions } from "@continuum-cache/pubsub";
import type { RecentSearch } from "../sessions.ts";
import {
  type EventFrame,
  type LiveEvent,
  type MemoryEvent,
  memoryUpdates,
  type SessionEvent,
  sessionEvents,
} from "./live-event.ts";
import { sessionChannel } from "./session-channel.ts";

/** Publishes what happens here. No answer waits for it. */
export interface Announcer {
  memory(event: MemoryEvent): void;
  session(event: SessionEvent): void;
  /** For the session's own windows alone. */
  search(sessionId: string, search: RecentSearch): void;
  /** Resolves when every event so far is published or has failed; after six seconds in any case. */
  idle(): Promise<void>;
}

/** Longer than a publish may take, in milliseconds. */
const publishMs = 6_000;

/** The part of PubSub that the announcer uses. */
interface Publisher {
  publish(channel: string, data: unknown, options: { readonly replay: ReplayOptions }): Promise<unknown>;
}

/** The history that a page which was away can catch up on. */
export const history: ReplayOptions = { count: 100, age: "10m" };

/** @param logError - Gets each event that could not be published: its visitor already has the answer. */
export function createAnnouncer(pubsub: Publisher, logError: (message: string) => void): Announcer {
  const underWay = createExpiringSet<Claim>();
  const publish = async (channel: string | Promise<string>, event: LiveEvent): Promise<void> => {
    const data: EventFrame["data"] = { ...event, timestamp: Date.now() / 1_000 };
    try {
      await pubsub.publish(await channel, data, { replay: history });
    } catch (error) {
      logError(`An event was not published: ${(error as Error).message}`);
    }
  };
  const begin = (channel: string | Promise<string>, event: LiveEvent): void => {
    const claim = createClaim({ timeoutMs: publishMs });
    underWay.add(claim, publishMs);
    void publish(channel, event).finally(() => {
      claim.release();
      underWay.delete(claim);
    });
  };
  return {
    memory: (event) => begin(memoryUpdates, event),
    session: (event) => begin(sessionEvents, event),
    search(sessionId, search) {
      begin(sessionChannel(sessionId), { type: "search_remembered", ...search });
    },
    async idle() {
      await Promise.all([...underWay].map((claim) => claim.released()));
    },
  };
}

/** Publishes nothing. */
export const silentAnnouncer: Announcer = { memory() {}, session() {}, search() {}, async idle() {} };
