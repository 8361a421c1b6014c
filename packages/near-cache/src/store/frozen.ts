/**
 * Freezes a value that consists of plain objects, lists and primitives, all the way down. It works on a stack of its
 * own: a value may be deep.
 *
 * @returns whether it could. If not, some of it may be frozen.
 */
export function freezeDeeply(value: unknown): boolean {
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const one = waiting.pop();
    if (typeof one !== "object" || one === null) continue;
    if (!Array.isArray(one)) {
      const prototype: unknown = Object.getPrototypeOf(one);
      if (prototype !== Object.prototype && prototype !== null) return false;
    }
    Object.freeze(one);
    for (const key of Object.keys(one)) waiting.push((one as Record<string, unknown>)[key]);
  }
  return true;
}
