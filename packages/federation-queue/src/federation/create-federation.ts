import type { Events } from "@continuum-cache/core";
import type { WriteObserver } from "@continuum-cache/core/kit";
import { createApplier } from "./applier.ts";
import type { CacheChange } from "./cache-change.ts";
import { createTeller } from "./change-publisher.ts";
import { createFederationClock } from "./federation-clock.ts";
import { startFollower } from "./follower.ts";
import { createObserver, putAll } from "./observer.ts";
import { createPatternMarks } from "./pattern-tombstones.ts";
import type { FederationSettings } from "./settings.ts";
import type { FederationEvents } from "./types.ts";

/** A federation's parts, put together. */
export interface RunningFederation {
  readonly observer: WriteObserver;
  owed(): number;
  close(): Promise<void>;
}

export function createFederation(
  settings: FederationSettings,
  emit: Events<FederationEvents>["emit"],
): RunningFederation {
  const { link, values, scope, log, fullGlob } = settings;
  const clock = createFederationClock(link, values?.marksKey ?? "", values?.keepMs ?? 0);
  const marks = values && createPatternMarks(link, values.marksKey, values.keepMs, scope.globs.map(fullGlob));
  const applier = createApplier(settings, clock, marks);
  const teller = createTeller(
    settings,
    {
      async everything(isHereToo) {
        const change: CacheChange = { type: "fed.invalidate", ...(values && { at: await clock.now() }) };
        if (isHereToo) await applier.apply(change, log.instanceId);
        return change;
      },
      keys: async (keys) =>
        values
          ? putAll(
              settings,
              values,
              clock,
              keys.map((key) => ({ key, kind: "delete" })),
            )
          : [],
    },
    emit,
  );
  const follower = startFollower(settings, applier, marks, emit);

  return {
    observer: createObserver(settings, clock, marks, teller, follower),
    owed: () => teller.owed,
    async close() {
      await follower.close();
      const left = await teller.close();
      if (left === 0) return;
      emit("error", {
        operation: "close",
        error: new Error(
          `${left} invalidation(s) that are owed to other instances are lost: the log did not take them`,
        ),
      });
    },
  };
}
