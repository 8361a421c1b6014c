import type { Circumstances, Model, Rules } from "./limit-model.ts";

/** Every rule of the limiter. */
export const rules: Rules = {
  coldHasNoPart: true,
  waits: true,
  bounds: true,
  countsUse: true,
  keepsCount: true,
  replays: true,
  holds: true,
  reserves: true,
  suspects: true,
};
export const circumstances: Circumstances = { answersAreFresh: true, allNotice: true, allReturn: true };
export const model: Model = { rules, circumstances, limit: 2, windowTicks: 2, clocks: [0, 0] };
