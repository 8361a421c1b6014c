import { randomBytes } from "node:crypto";
import { lstat, lutimes, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { JournalError } from "../errors/journal-error.ts";
import { beatMs, type LockFile, lockFileName, otherLockFiles, removeLockFile } from "./lock-files.ts";
import { ownIdentity } from "./process-identity.ts";

// Each store that opens a journal first creates its own file beside it, `<journal>.<pid>-<random>.lock`, and then
// looks for the files of others. Of two stores that come at the same time at least one sees the other, so never do
// both go on. No name is used twice, so removing the file of a dead owner never removes the file of a living one. An
// owner that can't be looked up (in another container, on another machine, without /proc) is recognized by the
// heartbeat on its file.

/** How often two stores that came at the same time, and both gave up their locks, try again. */
const attempts = 4;

/** The right to use a journal file, for one store alone. */
export interface OwnerLock {
  /** Unique, and fit for a file name. */
  readonly id: string;
  /** Whether the last owner was only silent: it may continue later, and must not find its file then. */
  readonly mayWake: boolean;
  /** Whether the lock still exists. Its file may be removed by a person, or by a store that took this one for dead. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** @throws JournalError `locked` when another store owns the journal. */
export async function lockJournal(path: string): Promise<OwnerLock> {
  for (let attempt = 1; ; attempt++) {
    const { others, ...claim } = await claimJournal(path);
    const living = others.find(({ owner }) => owner === "alive");
    if (!living) {
      await Promise.all(others.map(({ file }) => removeLockFile(file)));
      return { ...claim, mayWake: others.some(({ owner }) => owner === "silent") };
    }
    await claim.release();
    if (attempt === attempts) throw lockedError(path, living);
    await pause(10 + Math.random() * 40);
  }
}

async function claimJournal(path: string): Promise<Omit<OwnerLock, "mayWake"> & { others: LockFile[] }> {
  const own = await ownIdentity();
  const id = `${own.pid}-${randomBytes(4).toString("hex")}`;
  const file = lockFileName(path, id);
  await writeFile(file, `${JSON.stringify(own)}\n`, { flag: "wx", mode: 0o600 });
  const beat = setInterval(() => {
    // A failed heartbeat is ignored: `isHeld` checks the file when it matters.
    lutimes(file, new Date(), new Date()).catch(() => undefined);
  }, beatMs);
  beat.unref();

  const release = async () => {
    clearInterval(beat);
    await removeLockFile(file);
  };
  try {
    const others = await otherLockFiles(path, file, own);
    const isHeld = () =>
      lstat(file).then(
        () => true,
        () => false,
      );
    return { id, others, isHeld, release };
  } catch (error) {
    await release();
    throw error;
  }
}

function lockedError(path: string, { file, pid }: LockFile): JournalError {
  const who = pid === process.pid ? `this process (${pid}) or one of the same number elsewhere` : `process ${pid}`;
  return new JournalError(
    "locked",
    path,
    `The journal ${path} is in use by ${who}. Give each process its own path, or close the other first; ` +
      `if no such process runs anywhere, remove ${file}`,
  );
}
