import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bytes, journalFolder, texts } from "./file-journal-folder.ts";
import { journalProcesses } from "./file-journal-process.ts";

const { path, journal } = journalFolder();
const processes = journalProcesses("file-journal-script.ts");
const works = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;

/** Runs steps in a process of their own, and gives what it said of each. */
async function run(wrap: readonly string[], fsync: string, ...steps: string[]): Promise<string[]> {
  const env = { ...process.env, UV_THREADPOOL_SIZE: "1" };
  const child = processes.start([path(), fsync, ...steps], wrap, { env });
  await child.line(/^end$/);
  await child.kill();
  return child.lines.slice(0, -1);
}

describe("a folder", () => {
  it("that is missing is named in an error; after its creation the same store works", async () => {
    const store = journal({ path: path("missing/outage.journal") });
    await expect(store.read()).rejects.toThrow(
      `Could not open the journal ${path("missing/outage.journal")} (ENOENT): ` +
        "its folder does not exist: create it, or mount the volume that holds it.",
    );
    mkdirSync(path("missing"));
    expect(await store.read()).toEqual([]);
  });

  it("that is removed while in use makes appends reject, until a rewrite creates the file again", async () => {
    mkdirSync(path("volume"));
    const store = journal({ path: path("volume/outage.journal") });
    await store.read();
    await store.append([bytes("one")]);
    rmSync(path("volume"), { recursive: true });
    await expect(store.append([bytes("two")])).rejects.toThrow(/volume\/outage.journal was removed or replaced/);
    await expect(store.rewrite([bytes("three")])).rejects.toThrow(/ENOENT.*folder does not exist/);
    mkdirSync(path("volume"));
    await expect(store.append([bytes("two")])).rejects.toMatchObject({ reason: "lost" });
    await store.rewrite([bytes("three")]);
    await store.append([bytes("four")]);
    await expect(journal({ path: path("volume/outage.journal") }).read()).rejects.toMatchObject({ reason: "locked" });
    await store.close();
    expect(texts(await journal({ path: path("volume/outage.journal") }).read())).toEqual(["three", "four"]);
  });

  it("in the place of the file is refused", async () => {
    mkdirSync(path());
    await expect(journal().read()).rejects.toThrow(/this is a folder: give the path of a file in it/);
    expect(readdirSync(join(path(), ".."))).toEqual(["outage.journal"]);
  });

  it.skipIf(process.getuid?.() === 0)("that may not be written to is named (not tried as root, who may)", async () => {
    mkdirSync(path("closed"));
    chmodSync(path("closed"), 0o500);
    await expect(journal({ path: path("closed/outage.journal") }).read()).rejects.toThrow(/EACCES.*permission denied/);
  });
});

describe("a file", () => {
  it("that is replaced while in use is not appended to, and not overwritten", async () => {
    const store = journal();
    await store.read();
    writeFileSync(path("restored"), "from a backup");
    renameSync(path("restored"), path());
    await expect(store.append([bytes("x")])).rejects.toMatchObject({ reason: "lost" });
    await expect(store.rewrite([bytes("x")])).rejects.toThrow(/close this store and open a new one/);
    expect(statSync(path()).size).toBe("from a backup".length);
  });

  it.runIf(works("mkfifo", "--version"))("that is a pipe is refused at once", async () => {
    spawnSync("mkfifo", [path()]);
    await expect(journal().read()).rejects.toMatchObject({ reason: "foreign" });
  });
});

describe("a file at its size limit", () => {
  // The signal is ignored, so that the write fails in the middle, as on a full disk.
  const limited = ["sh", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$0" "$@"'];

  it("keeps nothing of a failed append, and accepts smaller ones and rewrites", async () => {
    const said = await run(
      limited,
      "always",
      ...["append:one", "append:x*200000", "append:two", "read", "fill:y*1000", "rewrite:z*200000", "read"],
      ...["rewrite:sum", "append:three", "read"],
    );
    const failed =
      `Could not append to the journal ${path()} (EFBIG): the file may not grow further: ` +
      "raise the process's limit on file sizes. Nothing of it was kept; what was there before stands.";
    expect(said[1]).toBe("append:one: ok");
    expect(said[2]).toBe(`append:x*200000: storage ${failed}`);
    expect(said[3]).toBe("append:two: ok");
    expect(said[4]).toBe('holds ["one","two"]');
    expect(said[6]).toBe(`fill:y*1000: after some ${failed}`);
    expect(said[7]).toMatch(/^rewrite:z\*200000: storage Could not rewrite .* What was there before stands\.$/);
    expect(said[8]).toMatch(/^holds \["one","two","y\*1000",/);
    expect(said.slice(10)).toEqual(["rewrite:sum: ok", "append:three: ok", 'holds ["sum","three"]', "read: ok"]);
    expect(existsSync(`${path()}.new`)).toBe(false);
    expect(readdirSync(join(path(), "..")).filter((name) => name.endsWith(".new"))).toEqual([]);
  });
});

const mounting = ["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs -o size=256k none "$1" && shift && exec "$@"', "sh"];

describe.runIf(works("unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"))("a full disk", () => {
  it("is named; earlier records stay, and there is room again after a rewrite", async () => {
    const said = await run(
      [...mounting, join(path(), "..")],
      "always",
      ...["append:one", "fill:y*10000", "append:y*10000", "read", "rewrite:sum", "append:two", "read"],
    );
    expect(said[2]).toMatch(/after some Could not append .* \(ENOSPC\): the disk is full: make room on it\./);
    expect(said[3]).toMatch(/ENOSPC/);
    expect(said[4]).toMatch(/^holds \["one","y\*10000",/);
    expect(said.slice(6)).toEqual(["rewrite:sum: ok", "append:two: ok", 'holds ["sum","two"]', "read: ok"]);
  });
});

/** @param faults - Which system call fails when: "fdatasync:error=EIO:when=2", the second. */
const failing = (...faults: string[]) => [
  ...["strace", "-qqf", "-o/dev/null", `-etrace=${faults.map((fault) => fault.split(":")[0]).join()}`],
  ...faults.map((fault) => `-einject=${fault}`),
];

describe.runIf(works("strace", "-qqf", "-o/dev/null", "-etrace=fsync", "true"))("a disk that fails", () => {
  it("to make an append durable: appends reject until a rewrite", async () => {
    const said = await run(
      failing("fdatasync:error=EIO:when=2"),
      "always",
      ...["append:one", "append:two", "append:three", "rewrite:four", "append:five", "read"],
    );
    const refused =
      `storage Could not make durable what was appended to the journal ${path()} (EIO): the disk reports an error: ` +
      "look into the system's log and move the journal to a healthy disk. It takes nothing until rewrite().";
    expect(said.slice(1)).toEqual([
      "append:one: ok",
      `append:two: ${refused}`,
      `append:three: ${refused}`,
      "rewrite:four: ok",
      "append:five: ok",
      'holds ["four","five"]',
      "read: ok",
    ]);
  });

  it("to make an append durable: after a restart resolved records are there, and rejected ones are not", async () => {
    const said = await run(failing("fdatasync:error=EIO:when=2"), "always", "append:one", "append:two", "read");
    expect(said.slice(3)).toEqual(['holds ["one"]', "read: ok"]);
  });

  it("between appends, with fsync interval: the next append and close() reject", async () => {
    const said = await run(
      failing("fdatasync:error=EIO"),
      "interval",
      ...["append:one", "append:two", "fill:x", "close"],
    );
    expect(said[3]).toMatch(/^fill:x: after some Could not make durable .* \(EIO\)/);
    expect(said[4]).toMatch(/^close: storage Could not make durable .* \(EIO\)/);
  });

  it("to answer at all: close() gives up after 5 s, and rejects the appends that wait", async () => {
    const said = await run(failing("fdatasync:delay_enter=60000000"), "always", "appendAndClose:one");
    expect(said[1]).toMatch(
      /^appendAndClose:one: .* was closed before the disk had finished \/ .* did not finish within 5000 ms$/,
    );
  });

  it("to write: a partial record is cut off, and the next append succeeds", async () => {
    // The first pwrite64 writes the header.
    const said = await run(
      failing("pwrite64:error=EIO:when=3"),
      "always",
      ...["append:one", "append:two", "append:three", "read"],
    );
    expect(said[2]).toMatch(/^append:two: storage .* \(EIO\).* Nothing of it was kept/);
    expect(said.slice(3)).toEqual(["append:three: ok", 'holds ["one","three"]', "read: ok"]);
  });

  it("to write, and to cut off a partial record: appends reject until a rewrite", async () => {
    const said = await run(
      failing("pwrite64:error=EIO:when=3", "ftruncate:error=EIO:when=1"),
      "always",
      ...["append:one", "append:two", "append:three", "rewrite:sum", "append:four", "read"],
    );
    expect(said[2]).toMatch(/^append:two: storage .* \(EIO\).* It takes nothing until rewrite\(\)\.$/);
    expect(said[3]).toMatch(/^append:three: storage .* \(EIO\).* It takes nothing until rewrite\(\)\.$/);
    expect(said.slice(4)).toEqual(["rewrite:sum: ok", "append:four: ok", 'holds ["sum","four"]', "read: ok"]);
  });

  it.each([
    ["to write the new file", "pwrite64:error=EIO:when=3"],
    ["to make it durable", "fsync:error=EIO:when=3"],
    ["to rename it", "rename:error=EIO:when=2"],
  ])("in a rewrite, %s: the old contents stand, and take appends", async (_, fault) => {
    const said = await run(failing(fault), "always", "append:one", "rewrite:two", "append:three", "read");
    expect(said[2]).toMatch(/^rewrite:two: storage Could not rewrite .* \(EIO\).* What was there before stands\.$/);
    expect(said.slice(3)).toEqual(["append:three: ok", 'holds ["one","three"]', "read: ok"]);
  });

  it("in a rewrite, to make the rename durable: it rejects, and appends reject until the next one", async () => {
    const said = await run(
      failing("fsync:error=EIO:when=4"),
      "always",
      ...["append:one", "rewrite:two", "append:three", "rewrite:four", "append:five", "read"],
    );
    expect(said[2]).toMatch(/^rewrite:two: storage Could not make durable the rewrite of .* until the next rewrite/);
    expect(said[3]).toMatch(/^append:three: storage Could not make durable the rewrite of/);
    expect(said.slice(4)).toEqual(["rewrite:four: ok", "append:five: ok", 'holds ["four","five"]', "read: ok"]);
  });
});
