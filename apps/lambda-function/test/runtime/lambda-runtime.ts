import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";

/** A function in an execution environment of its own: AWS's runtime interface client, in front of a Runtime API. */
export interface LambdaRuntime {
  /**
   * The time from the process's start to its first question for an event, in milliseconds; known after the first
   * answer.
   */
  readonly initMs: number;
  /**
   * Thaws the environment, hands it an event, and resolves to the answer.
   *
   * @throws Error with what the function threw.
   */
  invoke(event: unknown, timeoutMs?: number): Promise<unknown>;
  /** Resolves when the environment is frozen again. */
  frozen(): Promise<void>;
  stop(): Promise<void>;
}

interface Invocation {
  readonly id: string;
  readonly event: unknown;
  readonly timeoutMs: number;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

const invocationPath = "/2018-06-01/runtime/invocation/";

/**
 * @param task - The folder with the function's bundle, whose `index.mjs` exports `handler`.
 * @param env - The function's environment variables.
 */
export async function startLambda(task: string, env: Readonly<Record<string, string>>): Promise<LambdaRuntime> {
  const queue: Invocation[] = [];
  const underWay = new Map<string, Invocation>();
  const onFrozen: (() => void)[] = [];
  let waiting: ServerResponse | undefined;
  let isFrozen = false;
  let startedMs = 0;
  let initMs = 0;

  /** Between invocations a function gets no CPU at all. */
  const freeze = (): void => {
    if (queue.length > 0) return;
    isFrozen = child.kill("SIGSTOP");
    for (const tell of onFrozen.splice(0)) tell();
  };
  const thaw = (): void => {
    if (isFrozen) child.kill("SIGCONT");
    isFrozen = false;
  };
  const handOut = (): void => {
    const invocation = queue[0];
    if (!waiting || !invocation) return;
    queue.shift();
    underWay.set(invocation.id, invocation);
    waiting.writeHead(200, {
      "content-type": "application/json",
      "lambda-runtime-aws-request-id": invocation.id,
      "lambda-runtime-deadline-ms": String(Date.now() + invocation.timeoutMs),
      "lambda-runtime-invoked-function-arn": "arn:aws:lambda:eu-central-1:1:function:demo",
    });
    waiting.end(JSON.stringify(invocation.event));
    waiting = undefined;
  };
  const settle = async (request: IncomingMessage, [id = "", outcome]: readonly string[]): Promise<void> => {
    const body = await text(request);
    const invocation = underWay.get(id);
    underWay.delete(id);
    if (outcome === "response") invocation?.resolve(JSON.parse(body));
    else invocation?.reject(new Error(body));
  };

  const server = createServer(async (request, response) => {
    const path = request.url?.slice(invocationPath.length) ?? "";
    if (path === "next") {
      initMs ||= performance.now() - startedMs;
      waiting = response;
      handOut();
      // It asks for the next event before all of its answer's callbacks have run.
      if (waiting) setImmediate(() => waiting && freeze());
      return;
    }
    await settle(request, path.split("/"));
    response.writeHead(202).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const client = dirname(createRequire(import.meta.url).resolve("aws-lambda-ric/package.json"));
  startedMs = performance.now();
  const child: ChildProcess = spawn(
    process.execPath,
    ["--import", join(import.meta.dirname, "native-client.mjs"), join(client, "index.mjs"), "index.handler"],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...env,
        PATH: process.env["PATH"],
        AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${(server.address() as AddressInfo).port}`,
        LAMBDA_TASK_ROOT: task,
        _HANDLER: "index.handler",
        AWS_REGION: "eu-central-1",
        AWS_LAMBDA_FUNCTION_NAME: "demo",
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "256",
        AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
        AWS_LAMBDA_LOG_GROUP_NAME: "/aws/lambda/demo",
        AWS_LAMBDA_LOG_STREAM_NAME: "local",
      },
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-2_000);
    });
  }
  child.once("exit", (code, signal) => {
    const error = new Error(`The function's process has ended (${code ?? signal}): ${output}`);
    for (const invocation of [...queue.splice(0), ...underWay.values()]) invocation.reject(error);
    underWay.clear();
  });

  let count = 0;
  return {
    get initMs() {
      return initMs;
    },
    invoke: (event, timeoutMs = 10_000) =>
      new Promise((resolve, reject) => {
        queue.push({ id: `request-${++count}`, event, timeoutMs, resolve, reject });
        thaw();
        handOut();
      }),
    frozen: () => (isFrozen ? Promise.resolve() : new Promise((resolve) => onFrozen.push(resolve))),
    async stop() {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await exited;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
