import type { Events } from "@continuum-cache/core";
import type { WriteObserver } from "@continuum-cache/core/kit";
import { createApplier } from "./applier.ts";
import type { CacheChange } from "./cache-change.ts";
import { createChangePublisher } from "./change-publisher.ts";
import { startFollower } from "./follower.ts";
import { createObserver } from "./observer.ts";
import type { FederationSettings } from "./settings.ts";
import type { FederationEvents } from "./types.ts";
import { createValueSync } from "./value-sync.ts";

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
  const values = settings.values && createValueSync(settings, settings.values);
  const applier = createApplier(settings, values);
  const source = {
    async everything(isHereToo: boolean): Promise<CacheChange> {
      const change: CacheChange = { type: "fed.invalidate", ...(values && { at: await values.clock.now() }) };
      if (isHereToo) await applier.apply(change, settings.log.instanceId);
      return change;
    },
    async keys(keys: readonly string[]): Promise<readonly CacheChange[]> {
      return values ? values.put(keys.map((key) => ({ key, kind: "delete" }))) : [];
    },
  };
  const publisher = createChangePublisher(settings, source, emit);
  const follower = startFollower(settings, applier, values?.tombstones, emit);

  return {
    observer: createObserver(settings, values, publisher, follower),
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
