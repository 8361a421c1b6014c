import { join } from "node:path";
import { forkProgram } from "../fleet/fork-program.js";
/** Starts a process for each task, all at work at the same time. */
export async function startFleet(options) {
  const { module, tasks, route } = options;
  const children = tasks.map(() => forkProgram(join(import.meta.dirname, module)));
  const close = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", close);
  const tell = (to, note) => {
    if (children[to]?.connected) children[to].send({ note });
  };
  const watch = (child, at) => {
    let serves = () => {};
    const result = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => reject(new Error(`Process ${at} of ${module} has ended before it was done`)));
      child.on("message", (answer) => {
        if ("serves" in answer) serves();
        else if ("note" in answer) tell(route?.(at, answer.note) ?? at, answer.note);
        else resolve(answer.result);
      });
    });
    const served = new Promise((resolve) => {
      serves = resolve;
    });
    return { serves: Promise.race([served, result.then(() => {})]), result };
  };
  const watched = children.map(watch);
  const results = Promise.all(watched.map(({ result }) => result)).finally(() => {
    process.off("exit", close);
    close();
  });
  // Whoever waits for the results hears of it; until then it is no unheard error.
  results.catch(() => {});
  await Promise.all(watched.map(({ serves }) => serves));
  for (const [at, task] of tasks.entries()) children[at]?.send({ task });
  return { results, tell, close };
}
/** Makes this process one of a fleet. To be called once. */
export function serveFleet(work) {
  const tell = (answer) => {
    if (process.connected) process.send?.(answer);
  };
  let atWork;
  process.on("message", async (order) => {
    if ("note" in order) return atWork?.hear(order.note);
    atWork = work(order.task, (note) => tell({ note }));
    tell({ result: await atWork.done });
  });
  process.on("disconnect", () => process.exit(0));
  tell({ serves: true });
}
//# sourceMappingURL=fleet.js.map
