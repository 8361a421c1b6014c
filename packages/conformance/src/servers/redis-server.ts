import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Certificates, testCertificates } from "./certificates.ts";
import { freePort, type RedisProcess, startRedisProcess } from "./redis-process.ts";
import { connectRaw, type RawAddress, type RawReply } from "./resp-client.ts";

/** What kind of server to start. Everything is optional: by default a plain one, empty, without a password. */
export interface RedisServerOptions {
  /** Listen with TLS only, with a certificate made for this process. @default false */
  readonly tls?: boolean;
  /** The password of the default user. */
  readonly password?: string;
  /** Further users, each an ACL rule: `"app on >secret ~app:* &app:* +@all"`. */
  readonly users?: readonly string[];
  /** Keep the data across `kill()` and `restart()`. @default false */
  readonly appendonly?: boolean;
  /** The port to listen on. @default a free one */
  readonly port?: number;
  /** Further lines for redis.conf: `"maxmemory 1mb"`. */
  readonly args?: readonly string[];
}

/** A real redis-server on the loopback interface, with methods that freeze, kill and restart it. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** `redis://` or `rediss://`, with the default user's password if it has one. */
  readonly url: string;
  /** The certificate authority to trust, PEM; present with `tls`. */
  readonly ca?: string;
  readonly caPath?: string;
  readonly pid: number;
  /** Stops the process (SIGSTOP): connections stay open, and no answers come. */
  freeze(): void;
  /** Lets a frozen server go on. */
  thaw(): void;
  /** Kills it (SIGKILL) and waits until it is gone. `restart()` brings it back. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with the same data folder. */
  restart(): Promise<void>;
  /** Runs one command over a connection of its own. */
  command(...args: readonly (string | number)[]): Promise<RawReply>;
  /** How often each command ran since the last `resetStats()`, by lower-case name; subcommands as `config|get`. */
  commandStats(): Promise<Record<string, number>>;
  resetStats(): Promise<void>;
  /** Ends the process and removes its folder. Safe to call twice. */
  close(): Promise<void>;
}

const host = "127.0.0.1";

/**
 * Starts a real redis-server in a folder of its own and waits until it answers.
 *
 * @throws Error when there is no binary to start (says what to install), or when it ends at once (with what it
 *   printed).
 *
 * @example
 * ```ts
 * import { startRedisServer } from "@continuum-cache/conformance/servers";
 *
 * const server = await startRedisServer({ password: "secret" });
 * console.log(server.url, await server.command("PING"));
 * await server.close();
 * ```
 */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { password } = options;
  const certificates = options.tls ? await testCertificates() : undefined;
  const folder = await mkdtemp(join(tmpdir(), "continuum-cache-redis-"));
  const configPath = join(folder, "redis.conf");

  const addressOf = (port: number): RawAddress => ({
    host,
    port,
    ...(password !== undefined && { password }),
    ...(certificates && { ca: certificates.ca }),
  });
  const start = async (port: number): Promise<RedisProcess> => {
    await writeFile(configPath, configuration(options, port, folder, certificates), { mode: 0o600 });
    const started = await startRedisProcess([configPath], folder);
    await untilReady(started, addressOf(port));
    return started;
  };

  let running: RedisProcess;
  let port = options.port ?? (await freePort());
  try {
    running = await start(port).catch(async (error: Error) => {
      // Another process may have taken the free port in the meantime.
      if (options.port !== undefined || !/already in use/i.test(error.message)) throw error;
      port = await freePort();
      return start(port);
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }

  const command: RedisServer["command"] = async (...args) => {
    const client = await connectRaw(addressOf(port));
    try {
      return await client.command(...args);
    } finally {
      client.end();
    }
  };
  const login = password === undefined ? "" : `:${encodeURIComponent(password)}@`;

  return {
    host,
    port,
    url: `${certificates ? "rediss" : "redis"}://${login}${host}:${port}`,
    ...(certificates && { ca: certificates.ca, caPath: certificates.caPath }),
    get pid() {
      return running.pid;
    },
    freeze: () => running.signal("SIGSTOP"),
    thaw: () => running.signal("SIGCONT"),
    kill: () => running.kill(),
    async restart() {
      await running.kill();
      running = await start(port);
    },
    command,
    async commandStats() {
      return readCommandStats(String(await command("INFO", "commandstats")));
    },
    async resetStats() {
      await command("CONFIG", "RESETSTAT");
    },
    async close() {
      await running.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration(options: RedisServerOptions, port: number, folder: string, tls?: Certificates): string {
  const quoted = (text: string): string => JSON.stringify(text);
  return [
    `bind ${host}`,
    `dir ${quoted(folder)}`,
    'save ""',
    `appendonly ${options.appendonly ? "yes" : "no"}`,
    // Every write is on disk before its reply, so that a killed server loses nothing that it confirmed.
    "appendfsync always",
    ...(tls
      ? [`port 0`, `tls-port ${port}`, `tls-cert-file ${quoted(tls.certPath)}`, `tls-key-file ${quoted(tls.keyPath)}`]
      : [`port ${port}`]),
    ...(tls ? [`tls-ca-cert-file ${quoted(tls.caPath)}`, "tls-auth-clients no"] : []),
    ...(options.password === undefined ? [] : [`requirepass ${quoted(options.password)}`]),
    ...(options.users ?? []).map((rule) => `user ${rule}`),
    ...(options.args ?? []),
    "",
  ].join("\n");
}

/** A server that does not answer for this long never will, however busy the machine is. */
const startMs = 60_000;

async function untilReady(started: RedisProcess, address: RawAddress): Promise<void> {
  const givenUpAt = Date.now() + startMs;
  for (;;) {
    try {
      const client = await connectRaw(address);
      try {
        // A server that still loads its data lets clients log in.
        await client.command("PING");
      } finally {
        client.end();
      }
      return;
    } catch (cause) {
      if (started.ended()) throw new Error(`redis-server ended at once. It printed:\n${started.log()}`, { cause });
      if (Date.now() > givenUpAt) {
        await started.kill();
        throw new Error(`redis-server did not answer within ${startMs / 1_000} s. It printed:\n${started.log()}`, {
          cause,
        });
      }
      await sleep(10);
    }
  }
}

function readCommandStats(info: string): Record<string, number> {
  const lines = info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...lines].map(([, name = "", calls]) => [name.toLowerCase(), Number(calls)]));
}
