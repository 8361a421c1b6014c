#!/usr/bin/env node
import { isConfigError } from "continuum-cache";
import { runOnce } from "./once.ts";
import { readCommandLine, usage } from "./options.ts";
import { type Service, type ServiceOptions, startService } from "./service.ts";

type Asked = Pick<ServiceOptions, "address" | "processes">;

const log = (line: string): void => console.log(line);

const asked = readCommandLine(process.argv.slice(2));
switch (asked.kind) {
  case "help":
    process.stdout.write(usage);
    break;
  case "wrong":
    process.stderr.write(`${asked.message}\n\n${usage}`);
    process.exitCode = 2;
    break;
  case "once":
    await withService(asked, async (service) => {
      const problems = await runOnce(service.url, log);
      await service.close();
      for (const problem of problems) console.error(problem);
      if (problems.length > 0) process.exitCode = 1;
    });
    break;
  case "serve":
    await withService(asked, async (service) => announce(service, asked.address.port));
}

async function withService(asked: Asked, use: (service: Service) => Promise<void>): Promise<void> {
  let service: Service | undefined;
  try {
    service = await startService({ ...asked, env: process.env, log });
    await use(service);
  } catch (error) {
    await service?.close();
    if (!isConfigError(error)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

function announce({ url, port, place, close }: Service, wantedPort: number): void {
  if (wantedPort !== 0 && port !== wantedPort) log(`Port ${wantedPort} is taken, so this is on port ${port}.`);
  log(`\n${url}/\n`);
  log(`The cache lives in ${place}.`);
  log("Stop with Ctrl+C.");
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    // A second signal ends the process at once.
    process.once(signal, () => {
      log("Stopping.");
      void close();
    });
  }
}
