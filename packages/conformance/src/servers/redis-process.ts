import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

/** One run of the redis-server binary. */
export interface RedisProcess {
  readonly pid: number;
  /** The last lines that it printed, for error messages. */
  log(): string;
  /** Whether it has ended. */
  ended(): boolean;
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  /** SIGKILL, also when it is frozen; resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Killed when this process ends: they would run for ever otherwise. */
const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) child.kill("SIGKILL");
});

/** Starts the binary named by REDIS_SERVER, or `redis-server` from the PATH. */
export async function startRedisProcess(args: readonly string[], cwd: string): Promise<RedisProcess> {
  const binary = process.env["REDIS_SERVER"] || "redis-server";
  const child = spawn(binary, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      log = (log + chunk.toString("utf8")).slice(-2_000);
    });
  }
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  child.once("close", () => alive.delete(child));
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new Error(
      `Could not start "${binary}": install Redis 7 (apt-get install redis-server, or brew install redis), or name ` +
        "its binary in REDIS_SERVER",
      { cause },
    );
  }
  alive.add(child);
  return {
    pid: child.pid as number,
    log: () => log.trim(),
    ended: () => child.exitCode !== null || child.signalCode !== null,
    signal: (name) => void child.kill(name),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A port of the loopback interface that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("Expected a TCP address");
  return address.port;
}
