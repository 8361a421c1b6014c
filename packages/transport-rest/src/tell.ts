/**
 * Calls a listener that belongs to somebody else. One that throws is its owner's bug: it is seen, as an uncaught exception,
 * and ends nothing here.
 */
export function tell(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
