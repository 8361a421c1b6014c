import { type SendCommands, writeIfEqual } from "../lease/write-if-equal.ts";
import type { Command, Transport } from "../ports/transport.ts";
import { withHeader } from "./entry.ts";

/** The right to load a value and to store it. It ends when any client writes or deletes the key. */
export interface LoadLease {
  /**
   * Stores what was loaded, unless the lease has ended.
   *
   * @param commands - The SET of the value, and before it what goes with it; none when the value was skipped.
   * @param storeLocally - Called where the memory of this process answers in the primary's place.
   * @returns whether it was stored.
   * @throws TransportError when no answer came.
   */
  store(commands: readonly Command[], storeLocally: () => Promise<boolean>): Promise<boolean>;
  /** Gives the lease back, unless a value was stored, so that the next process need not wait. Never rejects. */
  release(): Promise<void>;
}

/** What a lease is made of. */
export interface LoadLeaseParts {
  readonly transport: Transport;
  readonly send: SendCommands;
  /** What is loaded. */
  readonly key: string;
  /** Where the lease stands: under the key itself, or beside a value that others may be served meanwhile. */
  readonly leaseKey: string;
  /** The placeholder that stands there. */
  readonly own: string;
  /** The value that is to be replaced, and nothing else; absent where the placeholder is. */
  readonly replaces?: string | Uint8Array;
  /** How long the load should take; 0 when nothing is known. */
  readonly expectedMs: number;
  /** Told how long the load has taken. */
  readonly onLoad: (loadMs: number) => void;
}

/** The shortest lease, in milliseconds. */
export const shortestLeaseMs = 1_000;

/** How long a lease lasts: three times as long as the load should take, or a second. */
export const leaseOf = (expectedMs: number): number => Math.max(3 * expectedMs, shortestLeaseMs);

/** What stands under a key while its value is loaded. @param expectedMs - How long that should take from now on. */
export const placeholderOf = (token: string, expectedMs: number): string =>
  withHeader({ placeholder: { token, expectedMs } }, "") as string;

/**
 * Holds a lease. A load that takes longer than two thirds of it renews it: it writes another placeholder, which says
 * that the load will take as long again as it has taken, so that leases grow and long loads cost few commands.
 */
export function createLoadLease(parts: LoadLeaseParts): LoadLease {
  const { transport, send, key, leaseKey, own, replaces, expectedMs, onLoad } = parts;
  const beganMs = performance.now();
  let placeholder = own;
  let isOver = false;
  let renewing: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isLocal = (): boolean => transport.status?.currentBackend === "local";

  const renewIn = (leaseMs: number): void => {
    timer = setTimeout(
      () => {
        renewing = renew().catch(() => {}); // without an answer the lease ends, and so does the right to store
      },
      (leaseMs * 2) / 3,
    );
  };
  const renew = async (): Promise<void> => {
    const elapsedMs = Math.ceil(performance.now() - beganMs);
    const next = placeholderOf(crypto.randomUUID().slice(0, 18), elapsedMs);
    const ttlMs = leaseOf(elapsedMs);
    if (!(await writeIfEqual(transport, send, { key: leaseKey, expected: placeholder, set: [next, "PX", ttlMs] })))
      return;
    placeholder = next;
    renewIn(ttlMs);
  };
  /** No renewal may change the placeholder any more. */
  const end = async (): Promise<void> => {
    clearTimeout(timer);
    await renewing;
    clearTimeout(timer);
  };

  /** Without an answer the lease ends by itself. */
  const give = async (): Promise<void> => {
    await writeIfEqual(transport, send, { key: leaseKey, expected: placeholder }).catch(() => {});
  };

  if (!isLocal()) renewIn(leaseOf(expectedMs));
  return {
    async store(commands, storeLocally) {
      onLoad(performance.now() - beganMs);
      isOver = true;
      await end();
      if (isLocal()) return storeLocally();
      const set = commands.at(-1)?.slice(2);
      if (!set) {
        await give();
        return false;
      }
      const others = commands.slice(0, -1);
      // In the same tick, so that the value travels with them.
      const [, isStored] = await Promise.all([
        others.length > 0 && send(others),
        writeIfEqual(transport, send, { key, expected: replaces ?? placeholder, set }),
      ]);
      return isStored;
    },
    async release() {
      if (isOver) return;
      isOver = true;
      await end();
      if (!isLocal()) await give();
    },
  };
}
