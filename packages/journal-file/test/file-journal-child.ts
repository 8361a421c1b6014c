// A process to be killed: `node child.mjs <append|rewrite|hold|leave> <path> <fsync>`. It says on stdout what it was
// promised, and writes there synchronously: what it said before it died, it said.
import { writeSync } from "node:fs";
import { fileJournal } from "@continuum-cache/journal-file";
import { generation, isWhole, numbered } from "./file-journal-records.ts";

const [, , mode = "", path = "", fsync = "always"] = process.argv;
const say = (line: string) => writeSync(1, `${line}\n`);
const journal = fileJournal({ path, fsync: fsync as "always" | "interval" | "never" });

try {
  const records = await journal.read();
  if (mode === "append") await append(records.length);
  else if (mode === "rewrite") await rewrite(isWhole(records) + 1);
  // Neither closes nor waits for anything.
  else if (mode === "leave") await journal.append([numbered(records.length)]);
  else {
    say("holding");
    setInterval(() => {}, 1_000);
  }
} catch (error) {
  say(`failed ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
  await journal.close();
}

/** Appends one record after the other, up to eight under way, and says the number of each that was resolved. */
async function append(first: number): Promise<never> {
  const underWay: Promise<void>[] = [];
  for (let number = first; ; number++) {
    underWay.push(journal.append([numbered(number)]).then(() => void say(`${number}`)));
    if (underWay.length >= 1 + (number % 8)) await Promise.all(underWay.splice(0));
  }
}

/** Rewrites everything, again and again, and appends a little in between; says what begins and what was resolved. */
async function rewrite(first: number): Promise<never> {
  for (let number = first; ; number++) {
    say(`begun ${number}`);
    const [head, ...tail] = generation(number);
    await journal.rewrite([head as Uint8Array, ...tail.slice(0, -1)]);
    say(`done ${number}`);
    await journal.append(tail.slice(-1));
  }
}
