// `node tools/runtimes/run.mjs [--write] [runtime …]`: finds a Redis, and runs main.ts, which is TypeScript and
// resolves our packages to their sources.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureRedisServer } from "../redis-server.mjs";

const { status } = spawnSync(
  process.execPath,
  [
    "--conditions=@continuum-cache/source",
    "--import",
    "tsx",
    join(import.meta.dirname, "main.ts"),
    ...process.argv.slice(2),
  ],
  { stdio: "inherit", env: { ...process.env, REDIS_SERVER: ensureRedisServer() } },
);
process.exit(status ?? 1);
