import { randomBytes } from "node:crypto";
import { lstat, lutimes, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { JournalError } from "./journal-error.ts";
import { beatMs, type LockFile, lockFileName, otherLockFiles, removeLockFile } from "./lock-files.ts";
import { ownIdentity } from "./process-identity.ts";

// Each store that wants a journal puts its own file beside it, `<journal>.<pid>-<random>.lock`, and only then looks for the
// others': of two that come at the same time one at least sees the other, so never do both go on. Nobody removes a name that
// a living process could have, since no name is used twice. An owner that can't be looked up (in another container, on
// another machine, no /proc) is known by the heartbeat on its file.

/** How often two that came at the same time, and both stood back, try again. */
const attempts = 4;

/** The right to use a journal file, for one store alone. */
export interface OwnerLock {
  /** Unlike any other store's; fit for a file name. */
  readonly id: string;
  /** Whether the last owner was only silent: it might wake, and must not find its file then. */
  readonly mayWake: boolean;
  /** Whether the lock is still there. It is not when its file was removed: by hand, or by a store that took us for gone. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

/** @throws JournalError `locked` when another one owns it. */
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
    // A beat that fails is one beat less; whether the file is still there, `isHeld` asks when it matters.
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
    `The journal ${path} is in use by ${who}. Give each process its own path, or close the other first; if no such process runs anywhere, remove ${file}`,
  );
}
