import type { Events } from "@continuum-cache/core";
import type { WriteObserver } from "@continuum-cache/core/kit";
import { createApplier } from "./applier.ts";
import type { CacheChange } from "./cache-change.ts";
import { createChangePublisher } from "./change-publisher.ts";
import { createFederationClock } from "./federation-clock.ts";
import { startFollower } from "./follower.ts";
import { createObserver, putAll } from "./observer.ts";
import { createPatternTombstones } from "./pattern-tombstones.ts";
import type { FederationSettings } from "./settings.ts";
import type { FederationEvents } from "./types.ts";

/** A federation's parts, put together. */
export interface RunningFederation {
  readonly observer: WriteObserver;
  pendingInvalidations(): number;
  close(): Promise<void>;
}

export function createFederation(
  settings: FederationSettings,
  emit: Events<FederationEvents>["emit"],
): RunningFederation {
  const { link, values, scope, log, fullGlob } = settings;
  const clock = createFederationClock(link, values?.tombstonesKey ?? "", values?.keepMs ?? 0);
  const tombstones =
    values && createPatternTombstones(link, values.tombstonesKey, values.keepMs, scope.globs.map(fullGlob));
  const applier = createApplier(settings, clock, tombstones);
  const source = {
    async everything(isHereToo: boolean): Promise<CacheChange> {
      const change: CacheChange = { type: "fed.invalidate", ...(values && { at: await clock.now() }) };
      if (isHereToo) await applier.apply(change, log.instanceId);
      return change;
    },
    async keys(keys: readonly string[]): Promise<readonly CacheChange[]> {
      if (!values) return [];
      const puts = keys.map((key) => ({ key, kind: "delete" }) as const);
      return putAll(settings, values, clock, puts);
    },
  };
  const publisher = createChangePublisher(settings, source, emit);
  const follower = startFollower(settings, applier, tombstones, emit);

  return {
    observer: createObserver(settings, clock, tombstones, publisher, follower),
    pendingInvalidations: () => publisher.pendingInvalidations,
    async close() {
      await follower.close();
      const left = await publisher.close();
      if (left === 0) return;
      const message = `${left} invalidation(s) for other instances are lost: the log did not take them in time`;
      emit("error", { operation: "close", error: new Error(message) });
    },
  };
}
