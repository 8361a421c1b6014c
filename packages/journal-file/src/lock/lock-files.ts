import { lstat, readdir, readFile, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { codeOf } from "../errors/storage-error.ts";
import { lookUp, type ProcessIdentity } from "./process-identity.ts";

/** How often an owner touches its lock file. */
export const beatMs = 1_000;
/** An owner that can't be looked up counts as gone after this time without a heartbeat. */
const silenceMs = 5_000;
/** The longest lock file that a store writes, in bytes. */
const longestLockFile = 4_096;

/** The lock file of another store. */
export interface LockFile {
  readonly file: string;
  readonly pid: number;
  /** `silent`: its process can't be looked up from here, and there was no heartbeat for 5 seconds. */
  readonly owner: "alive" | "gone" | "silent";
}

export function lockFileName(path: string, id: string): string {
  return `${path}.${id}.lock`;
}

/**
 * The lock files of other stores on this journal. If one of them has a living owner, only that one: it decides, and
 * no time is spent on watching the others.
 */
export async function otherLockFiles(path: string, ownFile: string, own: ProcessIdentity): Promise<LockFile[]> {
  const prefix = `${basename(path)}.`;
  const names = (await readdir(dirname(path))).filter(
    (name) => name.startsWith(prefix) && /^\d+-[0-9a-f]{8}\.lock$/.test(name.slice(prefix.length)),
  );
  const others = names
    .map((name) => ({ file: join(dirname(path), name), pid: Number.parseInt(name.slice(prefix.length), 10) }))
    .filter(({ file }) => file !== ownFile);
  const judged = await Promise.all(others.map(async (other) => ({ ...other, owner: await ownerOf(other.file, own) })));
  const living = judged.find(({ owner }) => owner === "alive");
  if (living) return [{ ...living, owner: "alive" }];
  return Promise.all(
    judged.map(async (each) => ({
      ...each,
      owner: each.owner === "unknown" ? await watch(each.file, own) : each.owner,
    })),
  );
}

async function ownerOf(file: string, own: ProcessIdentity): Promise<"alive" | "gone" | "unknown"> {
  const identity = await identityIn(file);
  return identity ? lookUp(identity, own) : "unknown";
}

async function identityIn(file: string): Promise<ProcessIdentity | undefined> {
  try {
    const stats = await lstat(file);
    // In a folder that other users may write to, any file may have the name of a lock file.
    if (!stats.isFile() || stats.size > longestLockFile) return undefined;
    const { pid, space, started } = JSON.parse(await readFile(file, "utf8"));
    return Number.isInteger(pid) && pid > 0 ? { pid, space, started } : undefined;
  } catch {
    // Removed, or half written: `watch` finds out which.
    return undefined;
  }
}

/** Waits for a heartbeat. */
async function watch(file: string, own: ProcessIdentity): Promise<LockFile["owner"]> {
  const before = await touchedAt(file);
  for (let waitedMs = 0; waitedMs < silenceMs; waitedMs += 100) {
    await pause(100);
    const now = await touchedAt(file);
    if (now === undefined) return "gone";
    if (now !== before) return "alive";
    // A file that was half written before may be complete now.
    const owner = await ownerOf(file, own);
    if (owner !== "unknown") return owner;
  }
  return "silent";
}

async function touchedAt(file: string): Promise<number | undefined> {
  try {
    return (await lstat(file)).mtimeMs;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes a lock file. If that fails it does no harm: other stores see that its owner is gone. */
export async function removeLockFile(file: string): Promise<void> {
  await unlink(file).catch(() => undefined);
}
