/** No answer came to a request, and its HTTP client knows more than the platform's error says. */
export class LostRequest extends Error {
  override readonly name = "LostRequest";
  /** It did not leave as a whole, so the server cannot have run it. */
  readonly unsent: boolean;

  constructor({ unsent, cause }: { readonly unsent: boolean; readonly cause: unknown }) {
    super("No answer came", { cause });
    this.unsent = unsent;
  }
}

/** What came is no HTTP reply. The message says what is wrong with it, and never repeats a byte of it. */
export class NotHttp extends Error {
  override readonly name = "NotHttp";
}
