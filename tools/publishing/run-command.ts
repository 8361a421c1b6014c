import { spawn } from "node:child_process";

export interface CommandSettings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Stop it once it has printed this. */
  readonly until?: RegExp;
}

export interface CommandResult {
  /** `null` when it was stopped: at its time limit, or when it had printed what was waited for. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, or stops it at its time limit; never rejects for what the command did. */
export function attemptCommand(command: readonly string[], settings: CommandSettings): Promise<CommandResult> {
  const { cwd, env, timeoutMs = 120_000, until } = settings;
  const [name = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const limit = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    const read = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      read.stdout += text;
      if (until?.test(read.stdout)) child.kill("SIGKILL");
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      read.stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(limit);
      resolve({ status, ...read });
    });
  });
}

/** Runs a command that must succeed. @returns what it printed. */
export async function runCommand(command: readonly string[], settings: CommandSettings): Promise<string> {
  const { status, stdout, stderr } = await attemptCommand(command, settings);
  if (status === 0) return stdout;
  const ending = status === null ? "did not end in time" : `ended with ${status}`;
  throw new Error(`${command.slice(0, 4).join(" ")} … ${ending}\n${stdout.slice(-4_000)}\n${stderr.slice(-4_000)}`);
}
