/**
 * Work that is done later, in order. All of it is done before the fault changes, so that bytes never overtake others.
 */
export interface DelayedWork {
  add(ms: number, work: () => void): void;
  /** Does all of it now, in order. */
  release(): void;
  drop(): void;
}

export function createDelayedWork(): DelayedWork {
  const waiting = new Map<NodeJS.Timeout, () => void>();
  const drop = (): void => {
    for (const timer of waiting.keys()) clearTimeout(timer);
    waiting.clear();
  };
  return {
    add(ms, work) {
      const timer = setTimeout(() => {
        waiting.delete(timer);
        work();
      }, ms);
      waiting.set(timer, work);
    },
    release() {
      const works = [...waiting.values()];
      drop();
      for (const work of works) work();
    },
    drop,
  };
}
