import { isDeepStrictEqual } from "node:util";

/** What returns something else is no contender. */
export function checkValue(name: string, expected: unknown, got: unknown): void {
  if (isDeepStrictEqual(got, expected)) return;
  throw new Error(`Expected ${name} to return what it was given, got ${JSON.stringify(got)?.slice(0, 200)}`);
}
