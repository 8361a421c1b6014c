/** What came is no HTTP reply. The message says what is wrong with it, and never repeats a byte of it. */
export class NotHttp extends Error {
  override readonly name = "NotHttp";
}
