import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bytes, headerBytes, journalFolder, texts } from "./file-journal-folder.ts";

const { path, journal } = journalFolder();

/** A journal with some records, closed. */
async function made(records: readonly string[]): Promise<Buffer> {
  const store = journal({ fsync: "never" });
  await store.read();
  await store.append(records.map(bytes));
  await store.close();
  return readFileSync(path());
}

describe("a folder that other users may write to", () => {
  it.each([
    ["another file", () => writeFileSync(path("victim"), "theirs")],
    ["an empty file", () => writeFileSync(path("victim"), "")],
    ["a file that is not there yet", () => {}],
    ["a folder", () => mkdirSync(path("victim"))],
  ])("does not follow a link to %s in the journal's place", async (_, make) => {
    make();
    symlinkSync(path("victim"), path());
    await expect(journal().read()).rejects.toMatchObject({
      name: "JournalError",
      reason: "foreign",
      message: expect.stringContaining("symbolic link"),
    });
    expect(lstatSync(path()).isSymbolicLink()).toBe(true);
  });

  it("lets the store neither replace nor write through a link in the place of the open journal", async () => {
    writeFileSync(path("victim"), "theirs");
    const store = journal();
    await store.read();
    renameSync(path(), path("moved"));
    symlinkSync(path("victim"), path());
    await expect(store.rewrite([bytes("secret")])).rejects.toMatchObject({ reason: "lost" });
    expect(readFileSync(path("victim"), "utf8")).toBe("theirs");
  });

  it("gets the copy of a damaged file with mode 0600, and not through a link", async () => {
    const file = await made(["one", "two"]);
    file[headerBytes + 9] = 0xff;
    writeFileSync(path(), file);
    writeFileSync(path("victim"), "theirs");
    symlinkSync(path("victim"), path("outage.journal.damaged"));
    const told: string[] = [];
    expect(texts(await journal({ onDamage: ({ keptAs }) => told.push(keptAs) }).read())).toEqual(["two"]);
    expect(told).toEqual([path("outage.journal.damaged")]);
    expect(readFileSync(path("victim"), "utf8")).toBe("theirs");
    expect(readFileSync(path("outage.journal.damaged"))).toEqual(file);
    expect(lstatSync(path("outage.journal.damaged")).mode & 0o777).toBe(0o600);
  });

  it("gets existing files without access rights of other users", async () => {
    await made(["secret"]);
    chmodSync(path(), 0o666);
    const store = journal();
    expect(texts(await store.read())).toEqual(["secret"]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    await store.append([bytes("more")]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it("may hold invalid lock files: endless, blocking, large", {
    timeout: 60_000,
  }, async () => {
    symlinkSync("/dev/zero", path("outage.journal.1-0a1b2c3d.lock"));
    execFileSync("mkfifo", [path("outage.journal.2-0a1b2c3d.lock")]);
    writeFileSync(path("outage.journal.3-0a1b2c3d.lock"), Buffer.alloc(1 << 20, "1"));
    const store = journal();
    expect(await store.read()).toEqual([]);
    await store.append([bytes("one")]);
  });

  it("does not block the store if the journal is a pipe", async () => {
    execFileSync("mkfifo", [path()]);
    await expect(journal().read()).rejects.toMatchObject({ reason: "foreign" });
    unlinkSync(path());
  });
});

describe("a large file of garbage", () => {
  it.each([
    [
      "bytes of all kinds",
      (size: number) =>
        Buffer.alloc(
          size,
          Uint8Array.from({ length: 251 }, (_, at) => at),
        ),
    ],
    ["lengths without records", (size: number) => Buffer.alloc(size, Uint8Array.of(0, 0, 0, 1))],
    ["zeros", (size: number) => Buffer.alloc(size)],
    ["one record that is damaged", (size: number) => Buffer.alloc(size, 1)],
  ])("lets others have their turns while it is read: %s", async (what, make) => {
    const file = await made(what.startsWith("one") ? ["x".repeat(16 << 20)] : ["one"]);
    const garbage = what.startsWith("one") ? Buffer.alloc(0) : make(16 << 20);
    if (what.startsWith("one")) file[headerBytes + 100] = 0;
    writeFileSync(path(), Buffer.concat([file, garbage, bytes("end")]));
    let turns = 0;
    let isOver = false;
    const counting = (async () => {
      for (; !isOver; turns++) await turn();
    })();
    const damage: number[] = [];
    await journal({ onDamage: (stretch) => damage.push(stretch.bytes) }).read();
    isOver = true;
    await counting;
    // Far more than reading the file by itself takes.
    expect(turns).toBeGreaterThan(5);
  });
});
