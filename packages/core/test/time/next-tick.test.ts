import { afterEach, expect, it, vi } from "vitest";
import { afterThisTick } from "../../src/time/platform.ts";

afterEach(() => vi.unstubAllGlobals());

const nodeProcess: object = process;

/**
 * The `process` of the Edge runtime of Next.js: the environment is there, and every function throws when it is
 * called.
 */
const edgeProcess = new Proxy(
  { env: {} },
  {
    get(target, name) {
      if (name === "env") return target.env;
      if (typeof Reflect.get(nodeProcess, name) !== "function") return undefined;
      return () => {
        throw new Error(`A Node.js API is used (process.${String(name)}) which is not supported in the Edge Runtime`);
      };
    },
  },
);

it.each([
  ["on Node", nodeProcess],
  ["in the Edge runtime of Next.js, whose process.nextTick throws", edgeProcess],
  ["where process holds only the environment", { env: {} }],
  ["without a process", undefined],
])("runs the callback after the microtasks of this tick and before timers, %s", async (_, stub) => {
  vi.stubGlobal("process", stub);
  const order: string[] = [];
  const timer = new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push("timer");
      resolve();
    });
  });
  afterThisTick(() => order.push("after this tick"));
  queueMicrotask(() => order.push("microtask"));
  order.push("now");
  await timer;
  expect(order).toEqual(["now", "microtask", "after this tick", "timer"]);
});
