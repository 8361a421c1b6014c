import { statSync, truncateSync } from "node:fs";
import type { FileJournal } from "@continuum-cache/journal-file";
import { runs } from "@continuum-cache/test-scale";
import fc from "fast-check";
import { expect, it } from "vitest";
import { journalFolder, wholeRecords } from "./file-journal-folder.ts";

const { path, journal } = journalFolder();

type Step =
  | { readonly kind: "append" | "rewrite"; readonly records: readonly Uint8Array[]; readonly isAwaited: boolean }
  | { readonly kind: "restart" }
  /** The process ends, and of what the file holds only a part was written. */
  | { readonly kind: "crash"; readonly lostBytes: number };

const records = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ minLength: 9_000, maxLength: 10_000 })),
  { maxLength: 4 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("append" as const), records, isAwaited: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rewrite" as const), records, isAwaited: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("restart" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), lostBytes: fc.nat(200) }) },
);

const title = "holds what was appended and not rewritten, through restarts and cut-off tails, for random histories";

// Each append waits for the disk, which may be slow.
it(title, async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom("always", "interval", "never"),
      async (steps, fsync) => {
        run += 1;
        const options = { path: path(`journal-${run}`), fsync } as const;
        let model: Uint8Array[] = [];
        let unsettled: Promise<void>[] = [];
        let store: FileJournal = journal(options);
        expect(await store.read()).toEqual([]);

        for (const each of steps) {
          if (each.kind === "append" || each.kind === "rewrite") {
            model = each.kind === "append" ? [...model, ...each.records] : [...each.records];
            unsettled.push(store[each.kind](each.records));
            if (each.isAwaited) await Promise.all(unsettled);
            continue;
          }
          await store.close();
          await Promise.all(unsettled);
          unsettled = [];
          const fileBytes = Math.max(0, statSync(options.path).size - (each.kind === "crash" ? each.lostBytes : 0));
          truncateSync(options.path, fileBytes);
          store = journal(options);
          const read = await store.read();
          if (each.kind === "crash") model = model.slice(0, wholeRecords(model, fileBytes));
          expect(read).toEqual(model);
        }
        await store.close();
        await Promise.all(unsettled);
      },
    ),
    runs(30),
  );
});
