import { keyPattern } from "@continuum-cache/core";

/** One of the streams that messages are given out from. */
export interface Source {
  /** A priority, or "again". */
  readonly name: string;
  readonly key: string;
  /** Absent where messages of all priorities lie. */
  readonly priority: string | undefined;
  /** How much of what is given out comes from here, when all have something; what came back goes before all. */
  readonly weight: number;
}

/** Where a queue keeps what. */
export interface QueueKeys {
  /** What came back is given out before all else. */
  readonly again: Source;
  readonly priorities: readonly string[];
  /** `again`, then the priorities, the most urgent first. */
  readonly sources: readonly Source[];
  readonly delayed: string;
  readonly dead: string;
  /** @throws RangeError when there is no such priority. */
  of(priority: string): Source;
  byName(name: string): Source | undefined;
  /** What keeps a message from being pushed twice. */
  marker(id: string): string;
}

/** The group of all who take messages. */
export const group = "workers";

/** Things by the stream that they belong to, in order. */
export function groupBySource<Thing>(
  things: readonly Thing[],
  sourceOf: (thing: Thing) => Source,
): ReadonlyMap<Source, Thing[]> {
  const bySource = new Map<Source, Thing[]>();
  for (const thing of things) {
    const source = sourceOf(thing);
    const list = bySource.get(source);
    if (list) list.push(thing);
    else bySource.set(source, [thing]);
  }
  return bySource;
}

const reserved: readonly string[] = ["again", "delayed", "dead", "id"];

/** @throws TypeError or RangeError that quotes what came. */
export function createQueueKeys(prefix: string, priorities: readonly string[]): QueueKeys {
  assertPrefix(prefix);
  assertPriorities(priorities);
  const keyOf = keyPattern(`${prefix}:{name}`);
  const marker = keyPattern(`${prefix}:id:{id}`);
  const again: Source = { name: "again", key: keyOf({ name: "again" }), priority: undefined, weight: 0 };
  const ofPriorities = priorities.map(
    (name, index): Source => ({
      name,
      key: keyOf({ name }),
      priority: name,
      weight: 2 ** (priorities.length - 1 - index),
    }),
  );
  const sources = [again, ...ofPriorities];
  const byName = new Map(sources.map((source) => [source.name, source]));
  return {
    again,
    priorities,
    sources,
    delayed: keyOf({ name: "delayed" }),
    dead: keyOf({ name: "dead" }),
    of(priority) {
      const source = byName.get(priority);
      if (source?.priority === undefined) {
        throw new RangeError(
          `Expected \`priority\` to be one of ${JSON.stringify(priorities)}, got ${JSON.stringify(priority)}`,
        );
      }
      return source;
    },
    byName: (name) => byName.get(name),
    marker: (id) => marker({ id }),
  };
}

function assertPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix === "string" && /^[^\p{Cc}\p{Surrogate}*?[\]{}\\]{1,512}$/u.test(prefix)) return;
  throw new TypeError(
    `Expected \`prefix\` to be a text of 1 to 512 characters, without control and glob characters, got ${quoted(prefix)}`,
  );
}

function assertPriorities(priorities: unknown): asserts priorities is readonly string[] {
  if (!Array.isArray(priorities) || priorities.length < 1 || priorities.length > 16) {
    throw new RangeError(
      `Expected \`priorities\` to be a list of 1 to 16 names, got ${Array.isArray(priorities) ? `${priorities.length} names` : typeof priorities}`,
    );
  }
  for (const name of priorities as unknown[]) {
    if (typeof name !== "string" || !/^[\w.-]{1,64}$/.test(name) || reserved.includes(name)) {
      throw new RangeError(
        `Expected each of \`priorities\` to be a name of letters, digits, ".", "-" and "_" (not ${reserved.join(", ")}), got ${quoted(name)}`,
      );
    }
  }
  if (new Set(priorities).size < priorities.length) {
    throw new RangeError(`Expected \`priorities\` to name each once, got ${JSON.stringify(priorities).slice(0, 200)}`);
  }
}

const quoted = (value: unknown): string =>
  typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : typeof value;
