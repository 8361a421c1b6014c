import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { runCommand } from "./run-command.ts";
import { toolFolder } from "./tool-folder.ts";

export interface Registry {
  /** `http://127.0.0.1:40123/` */
  readonly url: string;
  close(): Promise<void>;
}

/** The newest that runs on Node 20; it asks for a tag of node-fetch that not every mirror has. */
const verdaccio = { dependencies: { verdaccio: "6.8.0" }, overrides: { "node-fetch": "2.7.0" } };

/**
 * A registry on the loopback interface that holds the packages of these names and fetches all others from where npm is
 * configured to. It keeps everything in `folder`. Who publishes shows any token.
 */
export async function startRegistry(root: string, folder: string, names: readonly string[]): Promise<Registry> {
  const tool = await toolFolder(root, "verdaccio", verdaccio);
  const own = Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const configured = async (name: string): Promise<string> =>
    (await runCommand(["npm", "config", "get", name], { cwd: root, env: own })).trim();
  const [upstream, authorities] = [await configured("registry"), await configured("cafile")];
  // npm reads it from its own configuration, which no other program does.
  const env = authorities === "null" ? own : { ...own, NODE_EXTRA_CA_CERTS: authorities };
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "config.json");
  writeFileSync(config, JSON.stringify(settings(folder, upstream, names)));
  const port = await freePort();
  const log = join(folder, "log.txt");
  const output = openSync(log, "a");
  const child = spawn(
    process.execPath,
    [join(tool, "node_modules/verdaccio/bin/verdaccio"), "--config", config, "--listen", `127.0.0.1:${port}`],
    { cwd: folder, env: { ...env, HOME: folder }, stdio: ["ignore", output, output] },
  );
  const exited = once(child, "exit");
  const stop = () => child.kill("SIGKILL");
  process.once("exit", stop);
  const url = `http://127.0.0.1:${port}/`;
  const deadline = performance.now() + 60_000;
  while (!(await answers(`${url}-/ping`))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      stop();
      throw new Error(`The registry did not start:\n${readFileSync(log, "utf8").slice(-2_000)}`);
    }
    await pause(50);
  }
  return {
    url,
    async close() {
      process.off("exit", stop);
      child.kill("SIGTERM");
      const limit = setTimeout(stop, 5_000);
      await exited;
      clearTimeout(limit);
    },
  };
}

/** Verdaccio reads YAML, of which JSON is a part. */
function settings(folder: string, upstream: string, own: readonly string[]): object {
  const ours = { access: "$all", publish: "$all", unpublish: "$all" };
  return {
    storage: join(folder, "storage"),
    auth: { htpasswd: { file: join(folder, "htpasswd"), max_users: -1 } },
    uplinks: { upstream: { url: upstream, maxage: "1h", timeout: "60s", max_fails: 20 } },
    packages: {
      ...Object.fromEntries(own.map((name) => [name, ours])),
      "**": { access: "$all", proxy: "upstream" },
    },
    web: { enable: false },
    max_body_size: "20mb",
    log: { type: "stdout", format: "json", level: "warn" },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("No free port on the loopback interface");
  return address.port;
}

function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (response) => response.ok,
    () => false,
  );
}
