/** How a loop over messages ends. */
export interface ListenOptions {
  /** Ends the loop at once, whatever waits. */
  readonly signal?: AbortSignal;
}
