import { scaled } from "@continuum-cache/test-scale";
import { expect, it } from "vitest";
import { journalFolder } from "./file-journal-folder.ts";
import { journalProcesses } from "./file-journal-process.ts";
import { isWhole, numbered } from "./file-journal-records.ts";

/** How often a process is killed. */
const crashes = scaled(6, 3);

const { path, journal } = journalFolder();
const processes = journalProcesses();

/** Lets a process say some more, then kills it in whatever it is doing. */
async function killSoon(child: ReturnType<typeof processes.start>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
  await child.kill();
}

it.each(["always", "interval", "never"] as const)(
  'no resolved append is lost when the process is killed, with fsync "%s", over crashes and restarts',
  async (fsync) => {
    let resolved = -1;
    for (let crash = 0; crash < crashes; crash++) {
      const child = processes.start(["append", path(), fsync]);
      await child.line(/^\d+$/);
      await killSoon(child);
      expect(child.lines.filter((line) => !/^\d+$/.test(line))).toEqual([]);
      resolved = Math.max(resolved, ...child.lines.map(Number));

      // Every second time the next child finds the lock and the torn tail of the killed one, otherwise we do.
      if (crash % 2 === 0) continue;
      const store = journal({ fsync });
      const records = await store.read();
      await store.close();
      expect(records.length).toBeGreaterThan(resolved);
      for (const [number, record] of records.entries()) {
        expect(Buffer.compare(record, numbered(number)), `record ${number}`).toBe(0);
      }
    }
    expect(resolved).toBeGreaterThan(crashes);
  },
);

it("holds the old or the new contents, never a mix, after each kill during a rewrite", async () => {
  for (let crash = 0; crash < crashes; crash++) {
    const child = processes.start(["rewrite", path(), "always"]);
    await child.line(/^done/);
    await killSoon(child);
    const last = (word: string) =>
      Number(child.lines.findLast((line) => line.startsWith(`${word} `))?.slice(word.length + 1));
    expect(child.lines.filter((line) => !/^(begun|done) \d+$/.test(line))).toEqual([]);

    const store = journal();
    const found = isWhole(await store.read());
    await store.close();
    expect(found).toBeGreaterThanOrEqual(last("done"));
    expect(found).toBeLessThanOrEqual(last("begun"));
  }
});
