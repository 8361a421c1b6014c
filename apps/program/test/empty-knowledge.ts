import type { Knowledge } from "../src/index.ts";

/** Knowledge without a concept, for tests of everything around a search. */
export const knowledge: Knowledge = {
  conceptCount: 0,
  termCount: 0,
  normalize: (text) => text,
  search: () => [],
  memory: () => undefined,
};
