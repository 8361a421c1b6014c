/** The facts for INFO besides those of the keyspace. */
export interface ServerFacts {
  readonly startedAtMs: number;
  /** How often each command ran, by upper-case name. */
  readonly calls: ReadonlyMap<string, number>;
  count(name: string): void;
}

export function createServerFacts(startedAtMs: number): ServerFacts {
  const calls = new Map<string, number>();
  return {
    startedAtMs,
    calls,
    count(name) {
      calls.set(name, (calls.get(name) ?? 0) + 1);
    },
  };
}
