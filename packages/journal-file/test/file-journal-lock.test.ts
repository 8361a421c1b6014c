import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isJournalError } from "@continuum-cache/journal-file";
import { describe, expect, it } from "vitest";
import { bytes, journalFolder, texts } from "./file-journal-folder.ts";
import { journalProcesses } from "./file-journal-process.ts";

const { path, journal } = journalFolder();
const processes = journalProcesses();
const isLinux = process.platform === "linux";

const locks = () => readdirSync(join(path(), "..")).filter((name) => name.endsWith(".lock"));

/** Leaves a lock file as another process would. */
function plantLock(owner: object, pid = 7): string {
  const file = `${path()}.${pid}-00c0ffee.lock`;
  writeFileSync(file, JSON.stringify(owner));
  return file;
}

/** What our own lock file says. */
async function ownOwner(): Promise<{ pid: number; space: string; started: string }> {
  const store = journal();
  await store.read();
  const [lock = ""] = locks();
  const owner = JSON.parse(readFileSync(path(lock), "utf8"));
  await store.close();
  return owner;
}

describe("a journal that another store has open", () => {
  it("is refused to a second store of the same process, until the first is closed", async () => {
    const first = journal();
    await first.read();
    const second = journal();
    await expect(second.read()).rejects.toThrow(
      new RegExp(`${path()} is in use by this process \\(${process.pid}\\).*remove ${path()}\\.${process.pid}-`),
    );
    await first.append([bytes("mine")]);
    await first.close();
    expect(texts(await second.read())).toEqual(["mine"]);
  });

  it("is refused to another process while its owner lives, and opened by it after a kill of the owner", async () => {
    const child = processes.start(["hold", path()]);
    await child.line(/holding/);
    const store = journal();
    await expect(store.read()).rejects.toMatchObject({ reason: "locked", path: path() });
    await expect(store.read()).rejects.toThrow(`in use by process ${child.process.pid}`);
    expect(locks()).toHaveLength(1);
    child.process.kill("SIGSTOP");
    await expect(store.read()).rejects.toMatchObject({ reason: "locked" });
    child.process.kill("SIGCONT");
    await child.kill();
    expect(await store.read()).toEqual([]);
    expect(locks()).toHaveLength(1);
  });

  it("is opened by at most one of many stores at the same time", async () => {
    for (let round = 0; round < 20; round++) {
      const stores = Array.from({ length: 4 }, () => journal({ path: path(`round-${round}`) }));
      const outcomes = await Promise.allSettled(stores.map((store) => store.read()));
      const refusals = outcomes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
      expect(refusals.length).toBeGreaterThanOrEqual(3);
      expect(refusals.every((error) => isJournalError(error) && error.reason === "locked")).toBe(true);
    }
  });
});

describe("a lock that was left behind", () => {
  it("by a process that ended without close() is taken over at once; no process is kept alive", async () => {
    for (let start = 1; start <= 2; start++) {
      const child = processes.start(["leave", path(), "interval"]);
      await expect(child.ended).resolves.toBe(0);
      const store = journal();
      expect(await store.read()).toHaveLength(start);
      await store.close();
    }
  });

  it.runIf(isLinux)("by a process whose number was given to another since, is taken over at once", async () => {
    const own = await ownOwner();
    plantLock({ ...own, started: "1" });
    expect(await journal().read()).toEqual([]);
  });

  it("by a dead process is taken over at once", async () => {
    const own = await ownOwner();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    plantLock({ ...own, pid });
    expect(await journal().read()).toEqual([]);
    expect(locks()).toHaveLength(1);
  });

  it.runIf(isLinux)("by a process that was killed and is a zombie still, is taken over at once", async () => {
    const child = processes.start(["hold", path()], ["sh", "-c", '"$@" & exec sleep 60', "sh"]);
    await child.line(/holding/);
    const [lock = ""] = locks();
    const { pid } = JSON.parse(readFileSync(path(lock), "utf8"));
    process.kill(pid, "SIGKILL");
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(") Z ");
    expect(await journal().read()).toEqual([]);
  });

  it("for another journal with a similar name is ignored", async () => {
    const own = await ownOwner();
    writeFileSync(`${path()}.2.7-00c0ffee.lock`, JSON.stringify(own));
    expect(await journal().read()).toEqual([]);
    expect(locks()).toHaveLength(2);
  });

  it("by a process in another container is taken over after 5 s without a heartbeat, with a new file", async () => {
    const own = await ownOwner();
    const { ino } = statSync(path());
    plantLock({ ...own, space: "elsewhere" });
    expect(await journal().read()).toEqual([]);
    // The other process might only have been asleep. What it appends now goes into the old file, which is no longer
    // used.
    expect(statSync(path()).ino).not.toBe(ino);
  });

  it("half written by a process that died is taken over too", async () => {
    writeFileSync(`${path()}.7-00c0ffee.lock`, '{"pid":');
    expect(await journal().read()).toEqual([]);
  });

  it("holds while a process in another container touches it", async () => {
    const own = await ownOwner();
    const lock = plantLock({ ...own, space: "elsewhere" });
    const beat = setInterval(() => utimesSync(lock, new Date(), new Date()), 300);
    try {
      await expect(journal().read()).rejects.toMatchObject({ reason: "locked" });
    } finally {
      clearInterval(beat);
    }
  });

  const canUnshare = spawnSync("unshare", ["-Urpf", "--mount-proc", "true"]).status === 0;
  it.runIf(canUnshare)("by a killed process number 1, as in a container that is restarted", async () => {
    for (let start = 0; start < 2; start++) {
      // Kills what is in it together with itself.
      const child = processes.start(["hold", path()], ["unshare", "-Urpf", "--kill-child=SIGKILL", "--mount-proc"]);
      await child.line(/holding/);
      const [lock = ""] = locks();
      expect(JSON.parse(readFileSync(path(lock), "utf8")).pid).toBe(1);
      await child.kill();
    }
  });
});

describe("an owner whose lock was taken", () => {
  it("neither writes into the file of the new owner nor replaces it", async () => {
    const sleeper = journal();
    await sleeper.read();
    await sleeper.append([bytes("before")]);
    // What another container would do after five seconds of silence.
    rmSync(path(locks()[0]));
    const next = journal();
    expect(texts(await next.read())).toEqual(["before"]);
    await next.rewrite([bytes("after")]);

    await expect(sleeper.append([bytes("x")])).rejects.toMatchObject({ reason: "lost" });
    await expect(sleeper.rewrite([bytes("x")])).rejects.toMatchObject({ reason: "locked" });
    await next.close();
    await expect(sleeper.rewrite([bytes("x")])).rejects.toMatchObject({ reason: "lost" });
    await sleeper.close();
    expect(texts(await journal().read())).toEqual(["after"]);
  });

  it("notices that both wrote to the same file, before it overwrites records", async () => {
    const first = journal();
    await first.read();
    rmSync(path(locks()[0]));
    const second = journal();
    await second.read();
    await second.append([bytes("theirs")]);
    await expect(first.append([bytes("ours")])).rejects.toThrow(/Another program wrote to the journal/);
    await Promise.all([first.close(), second.close()]);
    expect(texts(await journal().read())).toEqual(["theirs"]);
  });
});
