/** One timer for many objects, which runs only while there are any. */
export interface Ticker<One> {
  readonly size: number;
  add(one: One): void;
  delete(one: One): void;
  [Symbol.iterator](): Iterator<One>;
}

/**
 * @param onTick - Called for each object every `everyMs` milliseconds. Where timers keep a process alive, this one does
 *   not.
 */
export function createTicker<One>(everyMs: number, onTick: (one: One) => void): Ticker<One> {
  const all = new Set<One>();
  let timer: ReturnType<typeof setInterval> | undefined;
  const stopWhenEmpty = (): void => {
    if (all.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    get size() {
      return all.size;
    },
    add(one) {
      all.add(one);
      if (timer !== undefined) return;
      timer = setInterval(() => {
        for (const each of all) onTick(each);
      }, everyMs);
      unref(timer);
    },
    delete(one) {
      all.delete(one);
      stopWhenEmpty();
    },
    [Symbol.iterator]: () => all.values(),
  };
}

function unref(timer: unknown): void {
  if (typeof timer === "object" && timer !== null && "unref" in timer) (timer as { unref(): void }).unref();
}
