import { type Command, isTransportError, type Reply } from "@continuum-cache/core";
import { unwrap } from "@continuum-cache/core/kit";
import type { PrimaryClient } from "../shared/primary-client.ts";
import { isAfter, parseId, type StreamId, writeId } from "./stream.ts";

/** How far this instance has read each origin's stream. A cursor moves only forward, unless a history was lost. */
export interface Cursors {
  get(origin: string): StreamId | undefined;
  readonly origins: Iterable<string>;
  /** Adopts the stored positions that are further. */
  load(reply: Reply): void;
  /**
   * Moves a cursor forward. Resolves once Redis has stored it, or, while Redis is away, once this process keeps it. The
   * commits of one tick are one command.
   *
   * @throws CommandError when Redis refuses it.
   */
  commit(origin: string, id: StreamId): Promise<void>;
  /** The history of this origin was lost: the cursor begins anew. */
  reset(origin: string, id: StreamId): Promise<void>;
  /** Stores the cursors that are not stored yet; with `all`, every cursor. Never rejects. */
  flush(all?: boolean): Promise<void>;
}

export function createCursors(link: PrimaryClient, key: string, onFailed: (error: unknown) => void): Cursors {
  const cursors = new Map<string, StreamId>();
  /** Origins whose cursor is not stored yet. */
  const changed = new Set<string>();
  let storing: Promise<void> | undefined;
  let isReported = false;

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
      isReported = false;
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
      if (!isReported) onFailed(error);
      isReported = true;
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
