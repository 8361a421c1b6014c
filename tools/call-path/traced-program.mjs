// Runs operations of the packages, which call `globalThis.entered` whenever one of their functions begins, and prints
// what each of them does as JSON: `node traced-program.mjs <Redis URL> <REST URL> <token>`.
import { createHook } from "node:async_hooks";
import { FederationQueue, UpstashCache } from "continuum-cache";

const [url, restUrl, restToken] = process.argv.slice(2);
const traces = [];

/**
 * Runs an operation often enough that nothing is done for the first time, then a few times while all is noted. The
 * shortest path counts: a process that stood still for a while asks an idle connection whether it still stands, and
 * reads a reply in two parts.
 */
async function trace(operation, run, { before = async () => {}, times = 5 } = {}) {
  for (let warm = 0; warm < 20; warm++) await run();
  const noted = [];
  for (let time = 0; time < times; time++) {
    await before();
    const entered = [];
    let promises = 0;
    let timers = 0;
    const hook = createHook({
      init(_, type) {
        if (type === "PROMISE") promises++;
        if (type === "Timeout") timers++;
      },
    });
    globalThis.entered = (id) => entered.push(id);
    hook.enable();
    // Awaiting it makes one promise more, which is the caller's.
    await run();
    hook.disable();
    globalThis.entered = undefined;
    noted.push({ entered, promises: promises - 1, timers });
  }
  const [shortest] = noted.sort((a, b) => a.entered.length - b.entered.length || a.promises - b.promises);
  traces.push({ operation, ...shortest });
}

async function traceCache(cache, over) {
  await trace(`set over ${over}`, () => cache.set("key", { hello: "world" }));
  await trace(`get over ${over}`, () => cache.get("key"));
  await trace(`getOrSet over ${over}, a hit`, () => cache.getOrSet("key", () => "loaded"));
}

async function traceQueue(cache) {
  const queue = new FederationQueue(cache);
  let tellHandled;
  const worker = queue.consume(async (_, lease) => {
    await lease.ack();
    tellHandled();
  });
  const handled = () =>
    new Promise((resolve) => {
      tellHandled = resolve;
    });
  const pushed = async () => {
    const done = handled();
    await queue.push({ hello: "world" });
    await done;
  };
  // Notifications that follow one another are put together, so the last is over first. After that a connection
  // was idle, and is looked at before it is used again: this is no part of a push. On a busy machine replies of several
  // trips come at once or apart, so it is tried more often.
  const rest = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    await cache.get("key");
  };
  await trace("push over TCP, until it is acknowledged", pushed, { before: rest, times: 30 });
  await worker.stop();
  await queue.close();
}

const tcp = new UpstashCache({ url, env: {} });
await traceCache(tcp, "TCP");
await traceQueue(tcp);
await tcp.close();
const rest = new UpstashCache({ restUrl, restToken, env: {} });
await traceCache(rest, "REST");
await rest.close();
process.stdout.write(JSON.stringify(traces));
