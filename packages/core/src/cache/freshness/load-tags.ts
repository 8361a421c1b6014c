import { ConfigError } from "../../errors/config-error.ts";
import { quoted } from "../../errors/quoted.ts";
import { madeKeys } from "../../keys/made-keys.ts";
import type { Texts } from "../../tags/marker-reads.ts";
import type { BegunLoad, FilledMarkers, Marker } from "../../tags/marker-store.ts";
import { latestKey } from "../../tags/tag-names.ts";
import type { GetOrSetParts, Tolerate } from "../get-or-set.ts";
import type { Tagged } from "../tagged.ts";
import type { Copies } from "../values.ts";
import { decide } from "./decide.ts";
import type { FreshPlan } from "./fresh-plan.ts";
import type { Found } from "./lookups.ts";

/** The tags of one key in one call. */
export interface LoadTags {
  /** What may be served of a found value by its tags: with a soft one expired it is no longer fresh. */
  verified(found: Found | undefined): Promise<Found | undefined>;
  /** Notes the markers before the loader begins. @returns undefined when they can't be told: then nothing is stored. */
  begin(): Promise<BegunLoad | undefined>;
  /** The markers to store with a loaded value. @returns undefined when nothing may be stored. */
  fill(begun: BegunLoad | undefined, value: unknown, keptMs: number | undefined): Promise<FilledMarkers | undefined>;
  /** Whether a call that came then may get what a load has brought. */
  mayTake(copies: Copies, cameMs: number): Promise<boolean>;
}

/** When a load began, by `performance.now()`, and what is known of the tags of its value. */
interface Proof {
  readonly beganMs: number;
  readonly markers: readonly Marker[] | undefined;
}

/** What is known of the values that loads have brought. */
const proofs = new WeakMap<Copies, Proof>();

/** Notes when a load began, and the markers of its value. */
export function proven(copies: Copies, beganMs: number, markers?: readonly Marker[]): Copies {
  proofs.set(copies, { beganMs, markers });
  return copies;
}

/** Whether a call needs the tags of its key. */
export const needsTags = ({ tagging }: GetOrSetParts, key: string, { tags }: Pick<FreshPlan, "tags">): boolean =>
  tags !== undefined || ((tagging.isOn || madeKeys.needMore) && tagging.reads(key));

export function createLoadTags(
  tagged: Tagged,
  parts: GetOrSetParts,
  tolerate: Tolerate,
  { key, fullKey, plan }: { readonly key: string; readonly fullKey: string; readonly plan: FreshPlan },
): LoadTags {
  const { stats, timeoutMs } = parts;
  const late = typeof plan.tags === "function" ? plan.tags : undefined;
  const own = typeof plan.tags === "function" ? undefined : plan.tags;
  const tags = tagged.tagsOf(parts, key, own);
  const lateScope = late && parts.keyPrefix;
  const startedMs = performance.now();
  const names = [...new Set([...tags, ...tagged.expected(parts, key, fullKey)])];
  // In the same tick as the value: one command reads it and all of these.
  const texts = tagged.ahead(names, plan.reading, lateScope === undefined ? [] : [latestKey(lateScope)]);
  const reading = { ...plan.reading, timeoutMs: plan.thirdMs ?? timeoutMs };
  const verdictOf = (markers: readonly Marker[], sent: { startedMs: number; texts: typeof texts }) =>
    tolerate(key, plan.insists, () =>
      tagged.verify(markers, { fullKey, options: plan.reading, ...sent }, parts.namespaces),
    );
  const isHit = ({ header }: Found): boolean => {
    const decision = decide(header, plan, Date.now(), 0);
    return decision === "serve" || decision === "refresh";
  };

  return {
    async verified(found) {
      if (!found) return undefined;
      const { markers } = found.header;
      // In a namespace a value without tags is of another origin.
      if (!markers && parts.namespaces.length === 0) return found;
      const verdict = markers && (await verdictOf(markers, { startedMs, texts }));
      if (verdict === "fresh") return found;
      const freshUntilMs = Math.min(found.header.freshUntilMs ?? Number.POSITIVE_INFINITY, Date.now());
      const stale = verdict === "stale" ? { ...found, header: { ...found.header, freshUntilMs } } : undefined;
      if (isHit(found) && !(stale && isHit(stale))) {
        stats.counts.hits--;
        stats.counts.misses++;
      }
      return stale;
    },
    async begin() {
      const isAway = {};
      const read = await texts?.catch(() => isAway);
      // The read of the value has failed and was told: the time that is left is the loader's.
      if (read === isAway) return undefined;
      const noted = { tags, lateScope, ttlMs: 0, texts: read as Texts | undefined };
      return tolerate(key, plan.insists, () => tagged.store.begin(noted, reading));
    },
    async fill(begun, value, keptMs) {
      if (!begun) return undefined;
      const told = late ? tagged.tagsOf(parts, key, namesOf(late as (value: unknown) => unknown, value)) : [];
      tagged.hint(fullKey, [...new Set([...tags, ...told])]);
      return tolerate(key, plan.insists, () => tagged.store.fill({ ...begun, ttlMs: keptMs }, told, reading));
    },
    async mayTake(copies, cameMs) {
      const proof = proofs.get(copies);
      if (!proof) return false;
      // A load that began later has loaded what holds now.
      if (proof.beganMs >= cameMs) return true;
      if (!proof.markers) return false;
      return (await verdictOf(proof.markers, { startedMs: performance.now(), texts: undefined })) === "fresh";
    },
  };
}

function namesOf(tags: (value: unknown) => unknown, value: unknown): readonly string[] {
  const names = tags(value);
  if (Array.isArray(names)) return names;
  throw new ConfigError("tags", `Expected \`tags\` to return a list of texts such as ["user:7"], got ${quoted(names)}`);
}
