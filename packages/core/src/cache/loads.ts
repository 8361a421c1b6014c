import { isWrite, keysOf } from "../commands/command-table.ts";
import type { Command } from "../ports/transport.ts";

/** The loads of this process, one per key. */
export interface Loads {
  /** Joins the key's load, or starts one. `run` is told by `outdated()` whether to store. */
  join(key: string, run: (outdated: () => boolean) => Promise<unknown>): Promise<unknown>;
  /** Marks the loads of all keys that these commands write as outdated. */
  written(commands: readonly Command[]): void;
  /** The same for all keys that pass a test. */
  writtenWhere(test: (key: string) => boolean): void;
}

export function createLoads(): Loads {
  const loads = new Map<string, { value: Promise<unknown>; outdated: boolean }>();

  const outdate = (key: string): void => {
    const load = loads.get(key);
    if (!load) return;
    load.outdated = true;
    // Whoever asks from now on must not be given what was loaded before.
    loads.delete(key);
  };

  return {
    join(key, run) {
      const running = loads.get(key);
      if (running) return running.value;
      const load = { value: Promise.resolve<unknown>(undefined), outdated: false };
      loads.set(key, load);
      load.value = run(() => {
        // From here on the load's own write is under way: it must not count as somebody else's.
        if (loads.get(key) === load) loads.delete(key);
        return load.outdated;
      }).finally(() => {
        if (loads.get(key) === load) loads.delete(key);
      });
      // Who gave up waiting hears nothing more; a failure that nobody waits for must not end the process.
      load.value.catch(() => {});
      return load.value;
    },
    written(commands) {
      if (loads.size === 0) return;
      for (const command of commands) {
        if (!isWrite(command)) continue;
        const keys = keysOf(command);
        for (const key of keys === "database" ? [...loads.keys()] : keys) outdate(key);
      }
    },
    writtenWhere(test) {
      for (const key of [...loads.keys()].filter(test)) outdate(key);
    },
  };
}
