/** Somebody who is limited, and to what. */
export interface Subject {
  readonly id: string;
  readonly limit: number;
  readonly windowMs: number;
}
