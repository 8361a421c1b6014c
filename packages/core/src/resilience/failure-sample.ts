/** Counts the calls of the last window, and how many of them failed. */
export interface FailureSample {
  add(nowMs: number, failed: boolean): void;
  readonly calls: number;
  readonly failures: number;
  clear(): void;
}

const slots = 10;

/**
 * Counts in tenths of the window, so that it takes the same memory at any speed. What it tells is therefore the count
 * of at least nine tenths of the window and at most all of it.
 */
export function createFailureSample(windowMs: number): FailureSample {
  const slotMs = windowMs / slots;
  const callsIn = new Array<number>(slots).fill(0);
  const failuresIn = new Array<number>(slots).fill(0);
  let calls = 0;
  let failures = 0;
  // The sums above are those of the slots (newest - slots, newest]; older slots have been emptied.
  let newest = 0;

  const clear = (): void => {
    callsIn.fill(0);
    failuresIn.fill(0);
    calls = 0;
    failures = 0;
  };

  const empty = (at: number): void => {
    calls -= callsIn[at] ?? 0;
    failures -= failuresIn[at] ?? 0;
    callsIn[at] = 0;
    failuresIn[at] = 0;
  };

  const moveTo = (slot: number): void => {
    if (slot > newest - slots && slot < newest) return;
    // Long after the last call, or on a clock that was set back by more than the window.
    if (slot < newest || slot >= newest + slots) clear();
    else for (let next = newest + 1; next <= slot; next++) empty(next % slots);
    newest = slot;
  };

  return {
    add(nowMs, failed) {
      const slot = Math.floor(nowMs / slotMs);
      if (slot !== newest) moveTo(slot);
      const at = newest % slots;
      callsIn[at] = (callsIn[at] ?? 0) + 1;
      calls++;
      if (!failed) return;
      failuresIn[at] = (failuresIn[at] ?? 0) + 1;
      failures++;
    },
    get calls() {
      return calls;
    },
    get failures() {
      return failures;
    },
    clear,
  };
}
