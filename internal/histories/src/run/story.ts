import type { Violation } from "../checking/rules.ts";

/** A story holds so many lines: the last ones. */
const mostLines = 60;

/** What a violation may name, the most telling first. */
const names = ["message", "id", "event", "ticket", "subscriber", "process"] as const;
/** What a violation that names a message needs of its subscriber besides. */
const subscriberKinds: readonly unknown[] = ["open", "gap", "close"];

/**
 * Tells a violation by what was recorded: the faults, and the records of the message, subscriber or process that the
 * violation names, in the order of time.
 */
export function storyOf(violation: Violation, records: readonly object[]): string {
  const { kind, detail, ...mentioned } = violation as Violation & Readonly<Record<string, unknown>>;
  const name = names.find((one) => mentioned[one] !== undefined);
  const wanted = String(name && mentioned[name]);
  const isWanted = (record: Readonly<Record<string, unknown>>): boolean =>
    record["kind"] === "fault" ||
    mentions(record, wanted) ||
    (subscriberKinds.includes(record["kind"]) && record["subscriber"] === mentioned["subscriber"]);
  const lines = records
    .filter((record) => isWanted(record as Readonly<Record<string, unknown>>))
    .sort((one, other) => timeOf(one) - timeOf(other))
    .map((record) => `  ${JSON.stringify(record)}`);
  return [`${kind}: ${detail} ${JSON.stringify(mentioned)}`, ...lines.slice(-mostLines)].join("\n");
}

/**
 * Whether a record has a name as one of its values, or in two of them: a message is `publisher/number`, an event
 * `origin/seq`.
 */
function mentions(record: object, name: string): boolean {
  const values = Object.values(record).map(String);
  const at = name.lastIndexOf("/");
  return values.includes(name) || (at > 0 && values.includes(name.slice(0, at)) && values.includes(name.slice(at + 1)));
}

/** A record's first time, in milliseconds. */
function timeOf(record: object): number {
  const { startMs, atMs, startUs } = record as Readonly<Record<string, number | undefined>>;
  return startMs ?? atMs ?? (startUs ?? 0) / 1_000;
}
