import { createMutex } from "@continuum-cache/core/kit";
import { type Cache, keys } from "continuum-cache";
import type { Outcome } from "./api.ts";

/** A search as a session remembers it. */
export interface RecentSearch extends Outcome {
  readonly query: string;
  /** ISO 8601. */
  readonly at: string;
}

/** The data of a visitor, kept for an hour after the last search. */
export interface Session {
  /** ISO 8601. */
  readonly startedAt: string;
  /** The latest first. */
  readonly recent: readonly RecentSearch[];
}

/** The sessions, by their secret ids. */
export interface Sessions {
  find(id: string): Promise<Session | undefined>;
  start(): Promise<{ readonly id: string; readonly session: Session }>;
  /** Adds a search and begins the hour anew. @returns false when there is no such session (any more). */
  record(id: string, search: RecentSearch): Promise<boolean>;
}

/** How long a session lives, in seconds, as the key family says. */
export const sessionSeconds: number = (keys.session.ttlMs ?? 3_600_000) / 1_000;

const maxRecent = 20;

/** Sessions that share a line wait for each other; so many lines make that rare. */
const lineCount = 64;

export function createSessions(cache: Cache): Sessions {
  const keyOf = (id: string): string => keys.session({ userId: id });
  const find = (id: string): Promise<Session | undefined> => cache.get<Session>(keyOf(id));
  // `add` reads, changes and writes a session: two searches of one visitor must not do that at the same time.
  const lines = Array.from({ length: lineCount }, createMutex);
  const lineOf = (id: string) => lines[Number.parseInt(id.slice(0, 2), 16) % lineCount] ?? createMutex();

  const add = async (id: string, search: RecentSearch): Promise<boolean> => {
    const session = await find(id);
    if (!session) return false;
    return cache.set(keyOf(id), { ...session, recent: [search, ...session.recent].slice(0, maxRecent) });
  };

  return {
    find,
    async start() {
      const id = crypto.randomUUID();
      const session: Session = { startedAt: new Date().toISOString(), recent: [] };
      await cache.set(keyOf(id), session);
      return { id, session };
    },
    async record(id, search) {
      const turn = await lineOf(id).run(() => add(id, search));
      return turn?.result ?? false;
    },
  };
}
