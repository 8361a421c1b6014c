import { cache } from "./cache/subject.ts";
import { leftovers } from "./leftovers/subject.ts";
import { limiter } from "./limiter/subject.ts";
import { log } from "./log/subject.ts";
import { near } from "./near/subject.ts";
import { pubsub } from "./pubsub/subject.ts";
import { queue } from "./queue/subject.ts";
import { regions } from "./regions/subject.ts";
import { runSubject } from "./run/run-subject.ts";
import type { Subject } from "./run/subject.ts";

const subjects: Readonly<Record<string, Subject>> = { cache, limiter, pubsub, queue, log, regions, leftovers, near };

/** `histories queue --histories 2 --seed 1`: exit code 1 when a promise is broken. */
const [name = "", ...args] = process.argv.slice(2);
const subject = subjects[name];
if (!subject) {
  console.error(`Expected one of ${Object.keys(subjects).join(", ")}, got ${JSON.stringify(name)}`);
  process.exit(2);
}
if (!(await runSubject(name, subject, args))) process.exitCode = 1;
