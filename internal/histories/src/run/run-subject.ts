import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunOptions, readOptions } from "./options.ts";
import { storyOf } from "./story.ts";
import type { Outcome, Series, Subject } from "./subject.ts";
import { addTo, brokenIn, emptyTally, tallyTable } from "./tally.ts";

/** Of each history that breaks promises so many violations are told. */
const mostStories = 3;
const lineEveryMs = 60_000;

/**
 * Runs the histories of a subject, reports those that break a promise, and prints what they came to.
 *
 * @returns whether all promises were kept.
 */
export async function runSubject(name: string, subject: Subject, argv: readonly string[]): Promise<boolean> {
  const options = readOptions(argv, subject.options, subject.histories);
  const { seed, histories, minutes } = options;
  const folder = mkdtempSync(join(tmpdir(), `continuum-cache-${name}-`));
  const { series, close } = subject.open(options.args, folder);
  const columns = series.map((one) => ({ one, tally: emptyTally() }));
  const beganMs = performance.now();
  const goesOn = (): boolean => performance.now() < beganMs + minutes * 60_000;
  let nextLineMs = beganMs + lineEveryMs;
  const onOutcome = ({ one, tally }: (typeof columns)[number], outcome: Outcome): void => {
    addTo(tally, outcome);
    if (outcome.violations.length > 0) report(name, one, outcome, options);
    if (performance.now() < nextLineMs) return;
    nextLineMs += lineEveryMs;
    const done = columns.map((column) => column.tally.histories).join(" + ");
    console.log(`${((performance.now() - beganMs) / 60_000).toFixed(1)} min: ${done} histories`);
  };

  console.log(`${subject.title}: histories from --seed ${seed}`);
  try {
    for (let nth = 0; nth < histories && goesOn(); nth += subject.isAtOnce ? histories : 1) {
      const span = { seed: seed + nth, histories: subject.isAtOnce ? histories : 1, goesOn };
      for (const column of columns) await column.one.run(span, (outcome) => onOutcome(column, outcome));
    }
  } finally {
    await close();
    rmSync(folder, { recursive: true, force: true });
  }
  const table = tallyTable(
    columns.map(({ one, tally }) => [one.title, tally]),
    subject.titles,
  );
  console.log(`\n--seed ${seed}\n\n${table}\n`);
  return columns.every(({ one, tally }) => one.isJudged === false || brokenIn(tally) === 0);
}

/** Keeps a history that breaks a promise, and prints its story and how to run it again. */
function report(name: string, { title, isJudged }: Series, outcome: Outcome, { keep, given }: RunOptions): void {
  if (isJudged === false) return;
  const { seed, repeat, plan, violations, records, tell } = outcome;
  mkdirSync(keep, { recursive: true });
  const file = join(keep, `${name}-${seed}-${title.replace(/[^a-z0-9]+/gi, "-")}.jsonl`);
  writeFileSync(file, [plan, ...violations, ...records].map((line) => `${JSON.stringify(line)}\n`).join(""));
  const flags = [`--histories 1 --seed ${seed}`, repeat, given].filter((text) => text !== "").join(" ");
  console.log(`\n${title}, seed ${seed}: breaks ${violations.length} promises; its records: ${file}`);
  for (const one of violations.slice(0, mostStories)) console.log(tell?.(one) ?? storyOf(one, records));
  console.log(`Repeat it with: npx --yes pnpm@12.21.0 histories ${name} ${flags}`);
}
