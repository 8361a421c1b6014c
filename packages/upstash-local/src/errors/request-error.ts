/** The whole request is refused: none of its commands has run. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** The HTTP status to answer. */
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param text - The `error` of the answer. */
  constructor(status: number, text: string, headers: Readonly<Record<string, string>> = {}) {
    super(text);
    this.status = status;
    this.headers = headers;
  }
}
