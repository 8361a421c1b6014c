import { ConfigError, keyPattern } from "@continuum-cache/core";
import { choiceOption } from "@continuum-cache/core/kit";
import { keyStart, keyStartWords } from "../shared/key-start.ts";
import { assertText, kindOf, quoted } from "../shared/read-options.ts";

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
  /** @throws ConfigError when there is no such priority. */
  of(priority: string): Source;
  byName(name: string): Source | undefined;
  /** What keeps a message from being pushed twice. */
  marker(id: string): string;
}

/** The group of all who take messages. */
export const group = "workers";

const reserved: readonly string[] = ["again", "delayed", "dead", "id"];

/** @throws ConfigError that quotes what came. */
export function createQueueKeys(prefix: string, priorities: readonly string[]): QueueKeys {
  assertText("prefix", prefix, keyStart, keyStartWords);
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
      if (source?.priority === undefined) choiceOption("priority", priority, priorities);
      return source as Source;
    },
    byName: (name) => byName.get(name),
    marker: (id) => marker({ id }),
  };
}

function assertPriorities(priorities: unknown): asserts priorities is readonly string[] {
  if (!Array.isArray(priorities) || priorities.length < 1 || priorities.length > 16) {
    const got = Array.isArray(priorities) ? `${priorities.length} names` : kindOf(priorities);
    throw new ConfigError("priorities", `Expected \`priorities\` to be a list of 1 to 16 names, got ${got}`);
  }
  const words = `a name of letters, digits, ".", "-" and "_" (not ${reserved.join(", ")})`;
  for (const name of priorities as unknown[]) {
    if (typeof name === "string" && /^[\w.-]{1,64}$/.test(name) && !reserved.includes(name)) continue;
    throw new ConfigError("priorities", `Expected each of \`priorities\` to be ${words}, got ${quoted(name)}`);
  }
  if (new Set(priorities).size < priorities.length) {
    const got = JSON.stringify(priorities).slice(0, 200);
    throw new ConfigError("priorities", `Expected \`priorities\` to name each once, got ${got}`);
  }
}
