/// <reference types="node" />
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";
import { codeOf } from "./storage-error.ts";

/** Which process, told apart from a later one with the same number and from one in another container. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Within which process numbers mean the same: a boot of a kernel and a PID namespace. Undefined where it can't be told. */
  readonly space?: string;
  /** When it started, in the kernel's ticks. Undefined where it can't be told. */
  readonly started?: string;
}

/** Who we are. On Linux from /proc, elsewhere by the host's name alone. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  const [space, status] = await Promise.all([pidSpace(), statusOf(process.pid)]);
  return { pid: process.pid, ...(space && { space }), ...(status && { started: status.started }) };
}

/** Whether a process lives, as far as can be told from here. */
export async function lookUp(other: ProcessIdentity, own: ProcessIdentity): Promise<"alive" | "gone" | "unknown"> {
  if (other.space === undefined || other.space !== own.space) return "unknown";
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    // EPERM: it is there, and another user's.
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
    // No /proc, or less of it: then only the heartbeat tells.
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
    // Gone meanwhile, or /proc hides other users' processes.
    return undefined;
  }
}
