import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileJournal, isJournalError } from "@continuum-cache/journal-file";
import { describe, expect, it, vi } from "vitest";
import { bytes, journalFolder, texts } from "./file-journal-folder.ts";

const { path, journal } = journalFolder();

/** Closes and opens again, as after a restart. */
async function reread(options = {}): Promise<string[]> {
  const next = journal(options);
  const records = texts(await next.read());
  await next.close();
  return records;
}

describe("a file journal", () => {
  it("is empty when it is new, and creates its file at once", async () => {
    const store = journal();
    expect(await store.read()).toEqual([]);
    expect(readFileSync(path(), "latin1")).toMatch(/^continuum-cache journal 1 [0-9a-f]{8} [0-9a-f]{8}\n$/);
  });

  it("returns the appended records after a restart, in order", async () => {
    const store = journal();
    await store.read();
    await store.append([bytes("one"), bytes("two")]);
    await store.append([bytes("")]);
    await store.append([]);
    await store.append([bytes("four\0\n")]);
    await store.close();
    expect(await reread()).toEqual(["one", "two", "", "four\0\n"]);
  });

  it("returns the records of a rewrite, and those that were appended after it", async () => {
    const store = journal();
    await store.read();
    void store.append([bytes("one"), bytes("two")]);
    void store.rewrite([bytes("1+2")]);
    await store.append([bytes("three")]);
    await store.close();
    expect(await reread()).toEqual(["1+2", "three"]);
  });

  it("can be rewritten to nothing", async () => {
    const store = journal();
    await store.read();
    await store.append([bytes("one")]);
    await store.rewrite([]);
    await store.close();
    expect(await reread()).toEqual([]);
  });

  it("keeps large records, and many in one call", async () => {
    const store = journal({ fsync: "never" });
    await store.read();
    const large = new Uint8Array(5 << 20).map((_, index) => index * 31);
    await store.append([large, large]);
    await store.rewrite([large, large, large]);
    await store.append([large]);
    await store.close();
    const records = await journal().read();
    expect(records.map((record) => Buffer.compare(record, large))).toEqual([0, 0, 0, 0]);
  });

  it("keeps the bytes as they were at the call", async () => {
    const store = journal();
    await store.read();
    const buffer = Buffer.from("before");
    const appended = store.append([buffer]);
    buffer.write("after!");
    await appended;
    await store.close();
    expect(await reread()).toEqual(["before"]);
  });

  it("returns copies that share no memory", async () => {
    const store = journal();
    await store.read();
    await store.append([bytes("one"), bytes("two")]);
    await store.close();
    const [one] = await journal().read();
    expect(one?.buffer.byteLength).toBe(3);
    expect(one?.constructor).toBe(Uint8Array);
  });

  it("denies other users access to the file, and leaves nothing beside it when closed", async () => {
    const store = journal();
    await store.read();
    await store.append([bytes("secret")]);
    const modes = readdirSync(join(path(), "..")).map((name) => statSync(path(name)).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
    await store.rewrite([bytes("secret")]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    await store.close();
    expect(readdirSync(join(path(), ".."))).toEqual(["outage.journal"]);
  });

  it("is the same file through each link to its folder", async () => {
    mkdirSync(path("volume"));
    symlinkSync(path("volume"), path("link"));
    const store = journal({ path: path("link/outage.journal") });
    await store.read();
    await store.append([bytes("one")]);
    await expect(journal({ path: path("volume/outage.journal") }).read()).rejects.toMatchObject({ reason: "locked" });
    await store.close();
    expect(await reread({ path: path("volume/outage.journal") })).toEqual(["one"]);
  });

  it("removes the temporary file of an interrupted rewrite, and nothing else", async () => {
    for (const name of ["outage.journal.12-0a1b2c3d.new", "outage.journal.new", "other.journal.12-0a1b2c3d.new"]) {
      writeFileSync(path(name), "");
    }
    await journal().read();
    const left = readdirSync(join(path(), "..")).filter((name) => name.endsWith(".new"));
    expect(left.sort()).toEqual(["other.journal.12-0a1b2c3d.new", "outage.journal.new"]);
  });
});

describe("a thousand appends in one tick", () => {
  it("keep their order and take few fsyncs", async () => {
    const store = journal();
    await store.read();
    const settled: number[] = [];
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => store.append([bytes(`${index}`)]).then(() => settled.push(index))),
    );
    expect(settled).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    expect(store.stats()).toMatchObject({ records: 1_000, commits: 1, fsyncs: 1 });
    await store.close();
    expect(await reread()).toEqual(settled.map(String));
  });

  it("that come during a sync share the next one", async () => {
    const store = journal();
    await store.read();
    const appends: Promise<void>[] = [];
    for (let index = 0; index < 1_000; index++) {
      appends.push(store.append([bytes(`${index}`)]));
      if (index % 10 === 0) await new Promise(setImmediate);
    }
    await Promise.all(appends);
    const { records, commits, fsyncs } = store.stats();
    expect(records).toBe(1_000);
    expect(fsyncs).toBe(commits);
    expect(fsyncs).toBeLessThan(300);
  });

  it("around a rewrite: those before it are replaced, those after it stay", async () => {
    const store = journal();
    await store.read();
    const calls: Promise<void>[] = [];
    for (let index = 0; index < 500; index++) calls.push(store.append([bytes(`old ${index}`)]));
    calls.push(store.rewrite([bytes("sum")]));
    for (let index = 0; index < 500; index++) calls.push(store.append([bytes(`${index}`)]));
    await Promise.all(calls);
    expect(store.stats()).toMatchObject({ commits: 2, fsyncs: 2, records: 1_000 });
    await store.close();
    expect(await reread()).toEqual(["sum", ...Array.from({ length: 500 }, (_, index) => `${index}`)]);
  });
});

describe("fsync", () => {
  it('"never" asks nothing of the disk', async () => {
    const store = journal({ fsync: "never" });
    await store.read();
    for (let index = 0; index < 20; index++) await store.append([bytes("x")]);
    await store.close();
    expect(store.stats()).toMatchObject({ commits: 20, fsyncs: 0 });
  });

  it('"interval" asks once for all appends of the interval', async () => {
    const store = journal({ fsync: "interval", fsyncInterval: "200ms" });
    await store.read();
    for (let index = 0; index < 20; index++) await store.append([bytes("x")]);
    await vi.waitFor(() => expect(store.stats().fsyncs).toBeGreaterThan(0), { timeout: 60_000 });
    expect(store.stats().fsyncs).toBeLessThan(20);
  });

  it('"interval" does not leave the last appends to luck when it is closed', async () => {
    const store = journal({ fsync: "interval", fsyncInterval: "1h" });
    await store.read();
    await store.append([bytes("x")]);
    expect(store.stats().fsyncs).toBe(0);
    await store.close();
    expect(store.stats().fsyncs).toBe(1);
  });
});

describe("what is opened", () => {
  it.runIf(existsSync("/proc/self/fd"))("is given back: by rewrites, by close, and by a read that fails", async () => {
    const openFiles = () => readdirSync("/proc/self/fd").length;
    await reread();
    const before = openFiles();
    const owner = journal();
    await owner.read();
    for (let round = 0; round < 20; round++) {
      await owner.rewrite([bytes("x")]);
      await expect(journal().read()).rejects.toThrow(/in use/);
    }
    expect(openFiles()).toBe(before + 1);
    await owner.close();
    writeFileSync(path(), "something else");
    for (let round = 0; round < 20; round++) await expect(journal().read()).rejects.toThrow(/is no journal/);
    expect(openFiles()).toBe(before);
  });
});

describe("wrong use", () => {
  it("rejects an append before read(), which could overwrite records", async () => {
    const store = journal();
    await expect(store.append([bytes("x")])).rejects.toThrow(/call read\(\) first/);
    await expect(store.rewrite([])).rejects.toThrow(/call read\(\) first/);
    expect(await store.read()).toEqual([]);
    await expect(store.read()).rejects.toThrow(/was read already/);
  });

  it("rejects all calls after close(), except close() itself", async () => {
    const store = journal();
    await store.read();
    const last = store.append([bytes("last")]);
    await Promise.all([store.close(), store.close(), last]);
    await store.close();
    await expect(store.append([bytes("x")])).rejects.toSatisfy(isJournalError);
    await expect(store.read()).rejects.toThrow(/is closed/);
    expect(await reread()).toEqual(["last"]);
  });

  it("touches nothing in close() without read()", async () => {
    await journal().close();
    expect(readdirSync(join(path(), ".."))).toEqual([]);
  });

  it("names options out of range at once", () => {
    expect(() => fileJournal({ path: "" })).toThrow(/Expected `path`/);
    expect(() => fileJournal({ path: "a\0b" })).toThrow(/zero byte/);
    // @ts-expect-error: not one of the three.
    expect(() => fileJournal({ path: path(), fsync: "sometimes" })).toThrow(/one of "always", "interval", "never"/);
    expect(() => fileJournal({ path: path(), fsyncInterval: 0 })).toThrow(/fsyncInterval/);
  });

  it("rejects records that are no bytes before anything is written", async () => {
    const store = journal();
    await store.read();
    // @ts-expect-error: a text is no record.
    await expect(store.append([bytes("x"), "text"])).rejects.toThrow(TypeError);
    await store.close();
    expect(await reread()).toEqual([]);
  });
});
