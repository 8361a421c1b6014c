/// <reference types="node" />
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { codeOf } from "../errors/storage-error.ts";

/** Identifies a process, also among later processes with the same number and processes in other containers. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Where process numbers are unique: a boot of a kernel and a PID namespace. `undefined` if unknown. */
  readonly space?: string;
  /** When it started, in ticks of the kernel. `undefined` if unknown. */
  readonly started?: string;
}

/** The identity of this process: on Linux from /proc, elsewhere by the name of the host. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const [space, status] = await Promise.all([pidSpace(), statusOf(process.pid)]);
  return { pid: process.pid, ...(space && { space }), ...(status && { started: status.started }) };
}

/** Whether a process lives, as far as this process can see. */
export async function lookUp(other: ProcessIdentity, own: ProcessIdentity): Promise<"alive" | "gone" | "unknown"> {
  if (other.space === undefined || other.space !== own.space) return "unknown";
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    // EPERM: it exists, and belongs to another user.
    if (codeOf(error) === "ESRCH") return "gone";
  }
  const status = await statusOf(other.pid);
  if (status === undefined || other.started === undefined) return "unknown";
  return status.isDead || status.started !== other.started ? "gone" : "alive";
}

async function pidSpace(): Promise<string | undefined> {
  if (process.platform !== "linux") return `${process.platform} ${hostname()}`;
  try {
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    return `${boot.trim()} ${await readlink("/proc/self/ns/pid")}`;
  } catch {
    // Without a complete /proc only the heartbeat shows whether an owner lives.
    return undefined;
  }
}

async function statusOf(pid: number): Promise<{ started: string; isDead: boolean } | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const text = await readFile(`/proc/${pid}/stat`, "latin1");
    // The name, second and in parentheses, may hold blanks and parentheses; from the third field on it is simple.
    const [state = "", ...fields] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const started = fields[18];
    return started === undefined ? undefined : { started, isDead: state === "Z" || state === "X" };
  } catch {
    // It has ended, or /proc hides the processes of other users.
    return undefined;
  }
}
