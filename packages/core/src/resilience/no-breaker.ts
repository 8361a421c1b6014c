import type { Breaker } from "./breaker.ts";

/** Lets everybody in, whatever happens. */
export const noBreaker: Breaker = {
  state: "closed",
  cause: undefined,
  waitMs: 0,
  enter: () => "call",
  succeeded() {},
  failed() {},
  dismissed() {},
  onChange: () => () => {},
};
