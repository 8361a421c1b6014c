import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

/** What can be said of the numbers of events. */
export interface Identity {
  readonly violations: readonly Violation[];
  /** Numbers that were given anew, since the server had forgotten them and their process was dead. */
  readonly rewritten: number;
}

interface Numbered {
  readonly origin: string;
  readonly seq: number;
  readonly name: string;
  readonly stampMs: number | undefined;
}

/**
 * A number stands for one event and an event for one number, whoever is asked; numbers are dense; times never go back; and
 * nobody is given what nobody has appended, what was altered, or what is its own.
 */
export function checkIdentity({ appends, entries, mayBeRewritten, killedMs, readers, gaps }: History): Identity {
  const violations: Violation[] = [];
  let rewritten = 0;
  const known = new Map<string, Numbered>();
  const numberOf = new Map<string, Numbered>();
  const byOrigin = new Map<string, Map<number, number | undefined>>();
  const names = new Set(appends.map(({ name }) => name));

  const see = (one: Numbered, process: string): void => {
    const event = `${one.origin}/${one.seq}`;
    const [before, other] = [known.get(event), numberOf.get(one.name)];
    if ((before && before.name !== one.name) || (other && other.seq !== one.seq)) {
      if (mayBeRewritten(one.origin)) rewritten++;
      else {
        const detail = `${one.name} is ${one.seq}; ${before && before.name !== one.name ? `${before.name} was` : `it was ${other?.seq}`}`;
        violations.push({ kind: "wrong-number", process, event, detail });
      }
    }
    known.set(event, one);
    numberOf.set(one.name, one);
    const stamps = byOrigin.get(one.origin) ?? new Map<number, number | undefined>();
    stamps.set(one.seq, one.stampMs);
    byOrigin.set(one.origin, stamps);
  };
  for (const { origin, seq, name, stampMs, process } of appends) {
    if (seq !== undefined) see({ origin, seq, name, stampMs }, process);
  }
  for (const { origin, seq, name, stampMs, process, reader, isAltered } of entries) {
    const event = `${origin}/${seq}`;
    see({ origin, seq, name, stampMs }, process);
    if (isAltered) violations.push({ kind: "altered", process, event, detail: "it is not what was appended" });
    if (origin === reader) violations.push({ kind: "own-event", process, event, detail: "it is the instance's own" });
    // An append is written down when it is over: a process that is killed during it leaves no record.
    if (!names.has(name) && killedMs(name.split("/")[0] ?? "") === undefined) {
      violations.push({ kind: "phantom", process, event, detail: `nobody has appended ${name}` });
    }
  }
  for (const [origin, stamps] of byOrigin) {
    const seqs = [...stamps.keys()].sort((one, other) => one - other);
    const counted = new Set(
      gaps
        .filter((gap) => gap.origin === origin)
        .flatMap(({ fromSeq, toSeq }) => Array.from({ length: toSeq - fromSeq + 1 }, (_, at) => fromSeq + at)),
    );
    for (const [at, seq] of seqs.entries()) {
      const before = at === 0 ? 0 : (seqs[at - 1] as number);
      const event = `${origin}/${seq}`;
      const isTold = Array.from({ length: seq - before - 1 }, (_, nth) => before + 1 + nth).every((one) =>
        counted.has(one),
      );
      // With a single instance there is nobody who would have seen those between.
      if (!isTold && readers.length > 1)
        violations.push({ kind: "not-dense", event, detail: `the one before is ${before}` });
      const [early, late] = [stamps.get(before), stamps.get(seq)];
      if (early === undefined || late === undefined || early <= late || mayBeRewritten(origin)) continue;
      violations.push({ kind: "clock", event, detail: `${early - late} ms before the one before it` });
    }
  }
  return { violations, rewritten };
}
