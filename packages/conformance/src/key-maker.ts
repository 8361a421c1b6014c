import type { KeyMaker } from "./transport-case.ts";

/** Keys in a namespace that nobody has used before. */
export function keyMaker(prefix: string): KeyMaker {
  const namespace = `${prefix}${globalThis.crypto.randomUUID().slice(0, 8)}:`;
  return (name) => namespace + name;
}
