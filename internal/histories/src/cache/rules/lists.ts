import type { Evidence, Place } from "../evidence.ts";
import { nameOf, type Violation } from "../violation.ts";

/** One value that a client pushed. */
interface Push extends Place {
  readonly value: string;
  /** Its place among the values of its push. */
  readonly order: number;
}

/**
 * At the end a list holds every value whose push was acknowledged: once, or more than once if the push's fate was ever
 * unknown. What one client pushed one after the other stands in that order. Nothing else is in it.
 */
export function findListFaults(evidence: Evidence): Violation[] {
  if (evidence.isForgetful) return [];
  return finalLists(evidence).flatMap(({ key, values }) => {
    const pushes = pushesTo(evidence, key);
    const positions = new Map<string, number[]>();
    for (const [position, value] of values.entries()) {
      positions.set(value, [...(positions.get(value) ?? []), position]);
    }
    return [
      ...countFaults(evidence, key, pushes, positions),
      ...orderFaults(evidence, key, pushes, positions),
      ...strangers(key, pushes, positions),
    ];
  });
}

/** The lists that the observer read at the end. */
export function finalLists({ history }: Evidence): { key: string; values: readonly string[] }[] {
  return history.finals.flatMap(({ effects }) => effects.filter((effect) => effect.kind === "list"));
}

function pushesTo(evidence: Evidence, key: string): Push[] {
  return evidence.calls.flatMap((call) =>
    call.effects.flatMap((effect, at) =>
      effect.kind === "push" && effect.key === key
        ? effect.values.map((value, order) => ({ call, at, value, order }))
        : [],
    ),
  );
}

type Positions = ReadonlyMap<string, readonly number[]>;

function countFaults(evidence: Evidence, key: string, pushes: readonly Push[], positions: Positions): Violation[] {
  return pushes.flatMap(({ call, value }) => {
    const times = positions.get(value)?.length ?? 0;
    const isMissing = times === 0 && call.outcome === "ok";
    const isTwice = times > 1 && evidence.footing(call) !== "unsure";
    if (!isMissing && !isTwice) return [];
    const often = times === 0 ? "not at all" : `${times} times`;
    const detail = `${key} holds ${value} ${often} at the end; ${nameOf(call)} pushed it once`;
    return [{ kind: "list", detail, key, calls: [call] }];
  });
}

function orderFaults(evidence: Evidence, key: string, pushes: readonly Push[], positions: Positions): Violation[] {
  return pushes.flatMap((earlier) =>
    pushes.flatMap((later): Violation[] => {
      if (earlier.call.client !== later.call.client || !isBefore(evidence, earlier, later)) return [];
      const [first] = positions.get(earlier.value) ?? [];
      const [second] = positions.get(later.value) ?? [];
      if (first === undefined || second === undefined || first < second) return [];
      const order = `${nameOf(earlier.call)} came before ${nameOf(later.call)}`;
      const detail = `${key} holds ${later.value} before ${earlier.value} at the end; ${order}`;
      return [{ kind: "list", detail, key, calls: [earlier.call, later.call] }];
    }),
  );
}

function isBefore(evidence: Evidence, earlier: Push, later: Push): boolean {
  if (earlier.call.outcome !== "ok") return false;
  if (earlier.call === later.call && earlier.at === later.at) return earlier.order < later.order;
  return evidence.precedes(earlier, later);
}

function strangers(key: string, pushes: readonly Push[], positions: Positions): Violation[] {
  const pushed = new Set(pushes.map(({ value }) => value));
  return [...positions.keys()]
    .filter((value) => !pushed.has(value))
    .map((value) => ({ kind: "phantom", detail: `${key} holds ${value}, which no client pushed`, key, calls: [] }));
}
