/** Holds callers up for a moment while something is put in order. */
export interface Gate {
  readonly isShut: boolean;
  shut(): void;
  open(): void;
  /** Resolves when it opens, or after so long at the latest. */
  pass(longestMs: number): Promise<void>;
}

export function createGate(): Gate {
  const waiting = new Set<() => void>();
  let isShut = false;
  return {
    get isShut() {
      return isShut;
    },
    shut() {
      isShut = true;
    },
    open() {
      isShut = false;
      for (const go of [...waiting]) go();
    },
    pass(longestMs) {
      if (!isShut) return Promise.resolve();
      return new Promise((resolve) => {
        const go = (): void => {
          clearTimeout(timer);
          waiting.delete(go);
          resolve();
        };
        const timer = setTimeout(go, longestMs);
        waiting.add(go);
      });
    },
  };
}
