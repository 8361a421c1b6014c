import { tcpTransport } from "@continuum-cache/transport-tcp";
import { FederationQueue } from "../../src/queue/federation-queue.ts";

// A separate process: `hold` takes messages and never finishes, `whole` uses all of a queue and must end by itself.

const [url = "", mode = "", ...rest] = process.argv.slice(2);
const options = JSON.parse(rest[0] ?? "{}") as ConstructorParameters<typeof FederationQueue>[1];
const say = (line: string): void => void process.stdout.write(`${line}\n`);
for (const event of ["unhandledRejection", "uncaughtException", "warning"]) {
  process.on(event, (error: unknown) => say(`${event} ${String(error)}`));
}

const transport = tcpTransport({ url, timeout: "10s" });
const queue = new FederationQueue<number>({ transport }, options);
queue.on("error", ({ operation }) => say(`error ${operation}`));

if (mode === "hold") {
  queue.consume(
    (event) => {
      say(`holds ${event}`);
      return new Promise(() => {});
    },
    { concurrency: 10 },
  );
} else {
  let done = 0;
  const worker = queue.consume((event) => {
    if (event % 5 === 0) throw new Error("no luck");
    done++;
  });
  await queue.pushMany(Array.from({ length: 20 }, (_, event) => ({ event })));
  await queue.push(99, { delay: "1h" });
  while (done < 16) await new Promise((resolve) => setTimeout(resolve, 5));
  await queue.pull();
  say("worked");
  if (mode === "outage") {
    const [line] = await new Promise<string[]>((resolve) => process.stdin.once("data", (data) => resolve([`${data}`])));
    say(`told ${line?.trim()}`);
    process.stdin.destroy();
    await queue.push(100).catch(() => say("refused"));
    await queue.stats().catch(() => say("no stats"));
  }
  await worker.stop({ timeout: "10s" });
  await queue.close();
  await transport.close();
  // A socket takes a while to close; what is left for good is left after many looks.
  const look = () => process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|TCP|Message/.test(name));
  let left = look();
  for (let looks = 0; left.length > 0 && looks < 10_000; looks++) {
    await new Promise((resolve) => setImmediate(resolve));
    left = look();
  }
  say(`left ${JSON.stringify(left)}`);
}
