import type { Violation } from "./violation.ts";

/** What is missing in the lives of a history, and whether they were told. */
export interface Loss {
  readonly violations: readonly Violation[];
  /** Messages that are missing as told. */
  readonly covered: number;
  /** Messages that the server acknowledged and then lost before the subscriber read them: nobody could have known. */
  readonly forgotten: number;
}
