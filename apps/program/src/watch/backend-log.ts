import type { Backend, Cache } from "continuum-cache";
import { publicReason } from "./public-reason.ts";

/** One change from one backend to another. */
export interface BackendTurn {
  readonly atMs: number;
  readonly to: Backend;
  /** For a change to local memory: the kind of the error, as visitors may see it. */
  readonly reason?: string;
  /** For a change back: how many writes of the outage the primary has confirmed. */
  readonly replayed?: number;
}

/** The latest changes, the last one first. */
export interface BackendLog {
  readonly turns: readonly BackendTurn[];
  close(): void;
}

const maxTurns = 20;

export function createBackendLog(cache: Pick<Cache, "on">, now: () => number): BackendLog {
  const turns: BackendTurn[] = [];
  const close = cache.on("backend", ({ to, reason, recovery }) => {
    const why = to === "local" && { reason: publicReason(reason) };
    turns.unshift({ atMs: now(), to, ...why, ...(recovery && { replayed: recovery.replayed }) });
    turns.length = Math.min(turns.length, maxTurns);
  });
  return { turns, close };
}
