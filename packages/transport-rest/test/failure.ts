import { expect } from "vitest";

/** The error of a call, which has to reject. */
export const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (replies) => expect.fail(`expected a rejection, got ${JSON.stringify(replies)}`),
    (error) => error,
  );
