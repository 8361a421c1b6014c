/** What is known of a request to which no answer came. */
export interface LostRequestFacts {
  /** It did not leave as a whole, so the server cannot have run it. */
  readonly unsent: boolean;
  /** Its connection had served before: the server may have closed it while it was idle. */
  readonly reused: boolean;
  /** What the platform threw. */
  readonly cause: unknown;
}

/** No answer came to a request, and its HTTP client knows more than the platform's error says. */
export class LostRequest extends Error {
  override readonly name = "LostRequest";
  readonly unsent: boolean;
  readonly reused: boolean;

  constructor({ unsent, reused, cause }: LostRequestFacts) {
    super("No answer came", { cause });
    this.unsent = unsent;
    this.reused = reused;
  }
}
