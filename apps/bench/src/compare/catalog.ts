import type { Suite } from "./suite.ts";
import { codecs } from "./suites/codecs.ts";
import { coldStart } from "./suites/cold-start.ts";
import { deletePattern } from "./suites/delete-pattern.ts";
import { memory } from "./suites/memory.ts";
import { outageReturn } from "./suites/outage-return.ts";
import { pubsub } from "./suites/pubsub.ts";
import { queue } from "./suites/queue.ts";
import { ratelimit, ratelimitRest } from "./suites/ratelimit.ts";
import { rest } from "./suites/rest.ts";
import { sizes } from "./suites/sizes.ts";
import { subscribe } from "./suites/subscribe.ts";
import { tcp } from "./suites/tcp.ts";

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [
  tcp,
  rest,
  ratelimit,
  ratelimitRest,
  queue,
  pubsub,
  subscribe,
  memory,
  codecs,
  coldStart,
  deletePattern,
  outageReturn,
  sizes,
];
