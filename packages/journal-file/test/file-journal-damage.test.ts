import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { isJournalError, type JournalDamage } from "@continuum-cache/journal-file";
import { describe, expect, it, vi } from "vitest";
import { bytes, headerBytes, journalFolder, texts, wholeRecords } from "./file-journal-folder.ts";

const { path, journal } = journalFolder();
const kept = ["first", "", "the third, which holds \0\0\0\0 and ends in zeros\0\0\0\0", "4", "the last one"];

/** The bytes of a journal that holds `kept`, made by the journal itself. */
async function intact(): Promise<Buffer> {
  const store = journal({ fsync: "never" });
  await store.read();
  for (const text of kept) await store.append([bytes(text)]);
  await store.close();
  return readFileSync(path());
}

/** Puts a file there, reads it, appends to it, and reads it again. */
async function readAndAppend(file: Uint8Array, onDamage?: (damage: JournalDamage) => void) {
  writeFileSync(path(), file);
  const first = journal({ fsync: "never", ...(onDamage && { onDamage }) });
  const before = texts(await first.read());
  await first.append([bytes("behind")]);
  await first.close();
  const second = journal({ fsync: "never" });
  const after = texts(await second.read());
  await second.close();
  return { before, after };
}

function flipped(file: Buffer, offset: number, mask: number): Buffer {
  const copy = Buffer.from(file);
  copy[offset] = (copy[offset] as number) ^ mask;
  return copy;
}

describe("a file that was cut off by a crash", () => {
  it("is read up to the cut, wherever that is, and can be appended to", async () => {
    const file = await intact();
    for (let length = 0; length <= file.length; length++) {
      const { before, after } = await readAndAppend(file.subarray(0, length));
      expect(before, `cut at ${length}`).toEqual(kept.slice(0, before.length));
      expect(after, `cut at ${length}`).toEqual([...before, "behind"]);
      expect(before, `cut at ${length}`).toHaveLength(wholeRecords(kept.map(bytes), length));
    }
  });

  it("is also read if it ends in zeros, as some file systems leave it", async () => {
    const file = await intact();
    for (let length = 0; length <= file.length; length++) {
      for (const padded of [file.length, file.length + 4_096]) {
        const zeroed = Buffer.alloc(padded);
        file.copy(zeroed, 0, 0, length);
        const { before, after } = await readAndAppend(zeroed);
        expect(before, `zeros from ${length} to ${padded}`).toEqual(kept.slice(0, before.length));
        // A checksum or a record may end in zeros: those are as good as written.
        expect(before.length).toBeGreaterThanOrEqual(wholeRecords(kept.map(bytes), length));
        expect(after, `zeros from ${length} to ${padded}`).toEqual([...before, "behind"]);
      }
    }
  });
});

describe("a file with a wrong byte", () => {
  it("never returns wrong data for any damaged byte: rejects with the path, the place and what to do", async () => {
    const file = await intact();
    for (let offset = 0; offset < file.length; offset++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const damaged = flipped(file, offset, mask);
        writeFileSync(path(), damaged);
        const store = journal({ fsync: "never" });
        const outcome = await store.read().then(texts, (error: unknown) => error);
        await store.close();
        const place = `byte ${offset}, mask ${mask}`;
        if (Array.isArray(outcome)) {
          // Only the mark behind a record tells nothing that the checksum doesn't: nothing is lost without it.
          expect(outcome, place).toEqual(kept);
        } else {
          expect(outcome, place).toSatisfy(isJournalError);
          expect(String(outcome), place).toContain(path());
          expect(String(outcome), place).toMatch(/damaged at byte \d+|is no journal|later version/);
          expect(readFileSync(path()).equals(damaged), place).toBe(true);
        }
      }
    }
  });

  it("with onDamage, reads the rest, reports what is lost, and keeps a copy", async () => {
    const file = await intact();
    for (let offset = headerBytes; offset < file.length; offset++) {
      const onDamage = vi.fn<(damage: JournalDamage) => void>();
      const { before, after } = await readAndAppend(flipped(file, offset, 0x55), onDamage);
      expect(after).toEqual([...before, "behind"]);
      if (before.length === kept.length) continue;
      expect(before, `byte ${offset}`).toHaveLength(kept.length - 1);
      expect(kept, `byte ${offset}`).toEqual(expect.arrayContaining(before));
      const [damage] = onDamage.mock.calls[0] ?? [];
      expect(onDamage, `byte ${offset}`).toHaveBeenCalledTimes(1);
      expect(damage).toMatchObject({ path: path(), keptAs: `${path()}.damaged` });
      expect(damage?.offset).toBeLessThanOrEqual(offset);
      expect((damage?.offset ?? 0) + (damage?.bytes ?? 0)).toBeGreaterThan(offset);
      expect(readFileSync(`${path()}.damaged`).equals(flipped(file, offset, 0x55))).toBe(true);
    }
  });

  it("without onDamage, rejects and says how to continue", async () => {
    const file = await intact();
    writeFileSync(path(), flipped(file, headerBytes + 9, 0xff));
    const reading = journal().read();
    await expect(reading).rejects.toThrow(`${path()} is damaged at byte ${headerBytes}`);
    await expect(reading).rejects.toThrow("pass `onDamage`");
    await expect(reading).rejects.toMatchObject({ name: "JournalError", reason: "damaged", path: path() });
  });

  it("in its header is lost as a whole, and reported", async () => {
    const file = await intact();
    const onDamage = vi.fn<(damage: JournalDamage) => void>();
    const { before, after } = await readAndAppend(flipped(file, 30, 0x01), onDamage);
    expect({ before, after }).toEqual({ before: [], after: ["behind"] });
    expect(onDamage.mock.calls).toEqual([
      [{ path: path(), offset: 0, bytes: file.length, keptAs: `${path()}.damaged` }],
    ]);
  });
});

describe("a hole of zeros in the middle, as a power cut may leave", () => {
  it("is reported, and the records after it are read", async () => {
    const file = await intact();
    const onDamage = vi.fn<(damage: JournalDamage) => void>();
    const { before } = await readAndAppend(Buffer.from(file).fill(0, headerBytes + 3, file.length - 30), onDamage);
    expect(before).toEqual(["the last one"]);
    expect(onDamage).toHaveBeenCalledTimes(1);
  });
});

describe("a file that is no journal", () => {
  it.each([
    ["a text", "These are the notes that a person wrote, and has no copy of.\n"],
    ["a short text", "notes"],
    ["a journal of a later version", "continuum-cache journal 2 00000000 00000000 and more\n"],
  ])("is refused and not touched, with and without onDamage: %s", async (_, text) => {
    writeFileSync(path(), text);
    await expect(journal({ onDamage: () => {} }).read()).rejects.toMatchObject({ reason: "foreign" });
    expect(readFileSync(path(), "utf8")).toBe(text);
    expect(existsSync(`${path()}.damaged`)).toBe(false);
  });

  it("is not read as records if it is the value of a record", async () => {
    const inner = await intact();
    const outer = journal({ path: path("outer") });
    await outer.read();
    await outer.append([inner]);
    await outer.close();
    const file = readFileSync(path("outer"));
    writeFileSync(path("outer"), flipped(file, headerBytes + 4, 0xff));
    const again = journal({ path: path("outer"), onDamage: () => {} });
    expect(await again.read()).toEqual([]);
  });

  it("is not read as records if another program appended it to a journal", async () => {
    const file = await intact();
    writeFileSync(path(), file);
    appendFileSync(path(), "a stray line from a confused script\n");
    await expect(journal().read()).rejects.toMatchObject({ reason: "damaged" });
    const { before } = await readAndAppend(readFileSync(path()), () => {});
    expect(before).toEqual(kept);
  });
});
