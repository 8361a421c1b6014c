import { atomicCases } from "./atomic.ts";
import { binaryCases } from "./binary.ts";
import { consumerGroupCases } from "./consumer-groups.ts";
import { deadlineCases } from "./deadlines.ts";
import { errorCases } from "./errors.ts";
import { hashCases } from "./hashes.ts";
import { keyCases } from "./keys-and-ttl.ts";
import { listCases } from "./lists.ts";
import { orderCases } from "./order.ts";
import { replyCases } from "./replies.ts";
import { scanCases } from "./scan.ts";
import { scriptCases } from "./scripts.ts";
import { sortedSetCases } from "./sorted-sets.ts";
import { streamCases } from "./streams.ts";
import { stringCases } from "./strings.ts";
import type { TransportCase } from "./transport-case.ts";

/** The cases by theme: a suite is a table of them. */
export const casesByTheme: Readonly<Record<string, readonly TransportCase[]>> = {
  replies: replyCases,
  strings: stringCases,
  "keys and expiry": keyCases,
  hashes: hashCases,
  lists: listCases,
  "sorted sets": sortedSetCases,
  streams: streamCases,
  "consumer groups": consumerGroupCases,
  binary: binaryCases,
  errors: errorCases,
  atomic: atomicCases,
  scripts: scriptCases,
  order: orderCases,
  deadlines: deadlineCases,
  scan: scanCases,
};

/** Every case that a transport must pass, for runners that want the list instead of `describeTransport`. */
export const transportCases: readonly TransportCase[] = Object.values(casesByTheme).flat();
