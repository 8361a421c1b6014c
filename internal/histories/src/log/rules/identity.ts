import type { Finding } from "../../checking/rules.ts";
import type { History } from "../history.ts";
import type { Violation } from "../violation.ts";

interface Numbered {
  readonly origin: string;
  readonly seq: number;
  readonly name: string;
  readonly stampMs: number | undefined;
}

/**
 * A number stands for one event and an event for one number, in all processes. Numbers are dense, times never go
 * back, and an instance is never given an event that no process has appended, that was altered, or that is its own.
 */
export function checkIdentity({
  appends,
  entries,
  mayBeRewritten,
  killedMs,
  readers,
  gaps,
}: History): Finding<Violation> {
  const violations: Violation[] = [];
  /** Numbers that were given anew, since the server had forgotten them and their process was dead. */
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
        const was = before && before.name !== one.name ? `${before.name} was` : `it was ${other?.seq}`;
        const detail = `${one.name} is ${one.seq}; ${was}`;
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
      violations.push({ kind: "phantom", process, event, detail: `no process has appended ${name}` });
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
      // With a single instance no other would have seen those between.
      if (!isTold && readers.length > 1)
        violations.push({ kind: "not-dense", event, detail: `the one before is ${before}` });
      const [early, late] = [stamps.get(before), stamps.get(seq)];
      if (early === undefined || late === undefined || early <= late || mayBeRewritten(origin)) continue;
      violations.push({ kind: "clock", event, detail: `${early - late} ms before the one before it` });
    }
  }
  return { violations, counts: { rewritten } };
}
