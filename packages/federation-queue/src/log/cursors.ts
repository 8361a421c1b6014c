import { type Command, isTransportError, type Reply } from "@continuum-cache/core";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { unwrap } from "../shared/replies.ts";
import { isAfter, parseId, type StreamId, writeId } from "./stream-id.ts";

/** How far this instance has come in each origin's stream. Only forward, but for a history that was lost. */
export interface Cursors {
  get(origin: string): StreamId | undefined;
  readonly origins: Iterable<string>;
  /** Takes what is stored, where that is further. */
  load(reply: Reply): void;
  /**
   * Moves forward, and resolves once that is stored, or is kept in this process since Redis is away. Those of one tick are
   * one command.
   *
   * @throws CommandError when Redis refuses it.
   */
  commit(origin: string, id: StreamId): Promise<void>;
  /** The history behind a cursor is gone: it begins anew. */
  reset(origin: string, id: StreamId): Promise<void>;
  /** Stores what is not stored yet; `all`: what was stored too. Never rejects. */
  flush(all?: boolean): Promise<void>;
}

export function createCursors(link: PrimaryClient, key: string, onFailed: (error: unknown) => void): Cursors {
  const cursors = new Map<string, StreamId>();
  /** What is not stored yet. */
  const changed = new Set<string>();
  let storing: Promise<void> | undefined;
  let isTold = false;

  const send = async (): Promise<void> => {
    const origins = [...changed];
    const words = origins.flatMap((origin) => {
      const id = cursors.get(origin);
      return id ? [origin, writeId(id)] : [];
    });
    if (words.length === 0) return;
    changed.clear();
    try {
      const command: Command = ["HSET", key, ...words];
      unwrap((await link.send([command]))[0]);
      isTold = false;
    } catch (error) {
      for (const origin of origins) changed.add(origin);
      throw error;
    }
  };
  const store = (): Promise<void> => {
    storing ??= (async () => {
      // Commits of one tick are one command.
      await Promise.resolve();
      const sending = send();
      storing = undefined;
      await sending;
    })();
    return storing;
  };
  const put = async (origin: string, id: StreamId): Promise<void> => {
    cursors.set(origin, id);
    changed.add(origin);
    try {
      await store();
    } catch (error) {
      if (!isTransportError(error)) throw error;
      if (!isTold) onFailed(error);
      isTold = true;
    }
  };

  return {
    get: (origin) => cursors.get(origin),
    get origins() {
      return cursors.keys();
    },
    load(reply) {
      const words = (Array.isArray(reply) ? reply : []) as readonly Reply[];
      for (let at = 0; at + 1 < words.length; at += 2) {
        const origin = words[at];
        const id = parseId(words[at + 1]);
        if (typeof origin !== "string" || !id) continue;
        const known = cursors.get(origin);
        if (!known || isAfter(id, known)) cursors.set(origin, id);
      }
    },
    async commit(origin, id) {
      const known = cursors.get(origin);
      if (known && !isAfter(id, known)) {
        if (changed.has(origin)) await put(origin, known);
        return;
      }
      await put(origin, id);
    },
    reset: put,
    async flush(all = false) {
      if (all) for (const origin of cursors.keys()) changed.add(origin);
      if (changed.size === 0) return;
      try {
        await store();
      } catch (error) {
        onFailed(error);
      }
    },
  };
}
