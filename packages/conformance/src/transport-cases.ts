import { atomicCases } from "./cases/atomic.ts";
import { binaryCases } from "./cases/binary.ts";
import { consumerGroupCases } from "./cases/consumer-groups.ts";
import { deadlineCases } from "./cases/deadlines.ts";
import { errorCases } from "./cases/errors.ts";
import { hashCases } from "./cases/hashes.ts";
import { keyCases } from "./cases/keys-and-ttl.ts";
import { listCases } from "./cases/lists.ts";
import { orderCases } from "./cases/order.ts";
import { replyCases } from "./cases/replies.ts";
import { scanCases } from "./cases/scan.ts";
import { scriptCases } from "./cases/scripts.ts";
import { sortedSetCases } from "./cases/sorted-sets.ts";
import { streamCases } from "./cases/streams.ts";
import { stringCases } from "./cases/strings.ts";
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
