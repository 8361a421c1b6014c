import { conceal } from "@continuum-cache/core/kit";
import type { Redis } from "ioredis";

/** What of an ioredis client holds the password, the TLS key, or commands that wait with their arguments. */
const secret = [
  "options",
  "condition",
  "prevCondition",
  "connector",
  "stream",
  "commandQueue",
  "offlineQueue",
  "prevCommandQueue",
];

/** Keeps a client of ours from showing the password to who prints or walks it, or the transport that has it. */
export function concealClient(client: Redis): Redis {
  for (const name of secret) {
    // Those that ioredis sets later keep this.
    const value: unknown = Reflect.get(client, name);
    Object.defineProperty(client, name, { value, writable: true, configurable: true, enumerable: false });
  }
  return conceal(client);
}
