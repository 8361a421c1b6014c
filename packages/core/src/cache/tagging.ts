import type { KeyFamily } from "../keys/key-pattern.ts";
import { madeKeys, needsMore } from "../keys/made-keys.ts";
import type { StandardSchema } from "../keys/standard-schema.ts";
import type { Tagged } from "./tagged.ts";

/** The code for tags, schemas and namespaces, which is loaded when it is first needed. */
export interface Tagging {
  /** Whether any key may need it, besides those that `madeKeys` tells of. */
  readonly isOn: boolean;
  /** The code, once it is loaded. From then on reads go through it, since it knows which markers to read with them. */
  readonly calls: Tagged | undefined;
  load(): Promise<Tagged>;
  /** Whether a value that is written under this key gets tags, whatever the call says. */
  givesTags(key: string): boolean;
  /** What the values of a key look like, by its pattern. */
  schemaOf(key: string): StandardSchema | undefined;
  /** Whether a read of this key goes through it. */
  reads(key: string): boolean;
}

export interface TaggingParts {
  readonly load: () => Promise<Tagged>;
  readonly patterns: readonly KeyFamily[];
  readonly isNamespace: boolean;
}

export function createTagging({ load, patterns, isNamespace }: TaggingParts): Tagging {
  const family = (key: string): KeyFamily | undefined =>
    tagging.isOn || madeKeys.needMore ? familyOf(key, patterns) : undefined;
  const tagging = {
    isOn: isNamespace || patterns.some(needsMore),
    calls: undefined as Tagged | undefined,
    async load() {
      tagging.calls = await load();
      tagging.isOn = true;
      return tagging.calls;
    },
    givesTags: (key: string) => isNamespace || family(key)?.tagsOf !== undefined,
    schemaOf: (key: string) => family(key)?.schema,
    reads: (key: string) => tagging.calls !== undefined || isNamespace || needsMore(family(key)),
  };
  return tagging;
}

/**
 * The pattern of a key: the one that has made it, else the first of a list to which it fits. What is no key has none:
 * the call rejects it later.
 */
export const familyOf = (key: string, patterns: readonly KeyFamily[]): KeyFamily | undefined =>
  typeof key === "string" ? (madeKeys.familyOf(key) ?? patterns.find((pattern) => pattern.parse(key))) : undefined;
