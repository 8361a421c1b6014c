// Finds a redis-server for the tests, installs one where that is possible, or says what to do.
import { spawnSync } from "node:child_process";

/** @returns {string} the binary's name or path; exits with instructions when there is none and none can be had. */
export function ensureRedisServer() {
  const named = process.env.REDIS_SERVER;
  if (named) {
    if (answers(named)) return named;
    return giveUp(`REDIS_SERVER names ${JSON.stringify(named)}, which does not start.`);
  }
  if (answers("redis-server")) return "redis-server";
  if (process.platform === "linux" && process.getuid?.() === 0 && answers("apt-get")) {
    console.log("redis-server is missing: installing it with apt-get");
    const quiet = { stdio: ["ignore", "ignore", "inherit"] };
    spawnSync("apt-get", ["update", "-qq"], quiet);
    spawnSync("apt-get", ["install", "-y", "-qq", "redis-server"], quiet);
    if (answers("redis-server")) return "redis-server";
  }
  return giveUp("The tests run against a real Redis, and there is no redis-server here.");
}

const answers = (command) => spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;

function giveUp(reason) {
  console.error(`${reason}
Install Redis 7 or newer, then run the same command again:
  Debian, Ubuntu   sudo apt-get update && sudo apt-get install -y redis-server
  Fedora           sudo dnf install -y redis
  macOS            brew install redis
Or name a binary: REDIS_SERVER=/path/to/redis-server`);
  process.exit(1);
}
