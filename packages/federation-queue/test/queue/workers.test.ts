import type { Transport } from "@continuum-cache/core";
import { memoryTransport } from "@continuum-cache/fallback-memory";
import { describe, expect, it, vi } from "vitest";
import { FederationQueue } from "../../src/queue/federation-queue.ts";
import { isLeaseLostError } from "../../src/queue/lease-lost-error.ts";
import { closing, queuesOn, servers } from "./backends.ts";
import { faulty } from "./faulty.ts";

// What workers take, and what they leave to other workers.

const opened = closing();
const patiently = { timeout: 60_000, interval: 10 };
const numbers = (count: number, priority = "normal") =>
  Array.from({ length: count }, (_, event) => ({ event, priority }));

describe.each(servers)("over $name", (backend) => {
  const start = () => queuesOn<number>(backend, opened);

  it("leaves messages that it has no handler for to other workers, the most urgent first", async () => {
    const { open } = await start();
    const [busy, other] = [open({ visibilityTimeout: "60s" }), open()];
    await busy.pushMany([...numbers(10, "low"), ...numbers(10, "high")]);
    const worker = busy.consume(() => new Promise(() => {}));
    await vi.waitFor(() => expect(worker.running).toBe(1), patiently);
    const got: string[] = [];
    await vi.waitFor(async () => {
      const leases = await other.pull({ max: 20 });
      got.push(...leases.map(({ priority }) => priority));
      await Promise.all(leases.map((lease) => lease.ack()));
      expect(got.length).toBe(19);
    }, patiently);
    expect((await other.stats()).inFlight).toBe(1);
    await worker.stop({ timeout: "1ms" });
  });

  it("fetches in fair shares when handlers are slow", async () => {
    const { open, connect } = await start();
    const queue = open();
    const other = connect();
    /** Slower than the longest round trip so far, on any machine. */
    let workMs = 40;
    const time = async (trip: () => Promise<unknown>): Promise<void> => {
      const sentMs = performance.now();
      await trip();
      workMs = Math.max(workMs, 10 * (performance.now() - sentMs));
    };
    await time(() => queue.stats());
    for (const priority of ["low", "normal", "high"]) await queue.pushMany(numbers(40, priority));
    const begun: string[] = [];
    queue.consume(
      async (_, { priority }) => {
        begun.push(priority);
        await time(() => other.send([["PING"]]));
        await new Promise((resolve) => setTimeout(resolve, workMs));
      },
      { concurrency: 2 },
    );
    await vi.waitFor(() => expect(begun.length).toBeGreaterThanOrEqual(56), { timeout: 150_000, interval: 10 });
    const share = (name: string) => begun.slice(0, 56).filter((priority) => priority === name).length;
    expect(share("high")).toBeGreaterThanOrEqual(24);
    expect(share("normal")).toBeGreaterThanOrEqual(10);
    expect(share("low")).toBeGreaterThanOrEqual(5);
  });

  it("extends the lease while the handler works, up to maxDuration, then aborts its signal", async () => {
    const { open } = await start();
    const [here, there] = [open({ visibilityTimeout: "2s" }), open({ visibilityTimeout: "2s" })];
    const { id } = await here.push(1);
    let lost: unknown;
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const worker = here.consume(
      (_, { signal }) => {
        signal.addEventListener("abort", () => {
          lost = signal.reason;
        });
        // It stays busy, so that the other worker gets the message.
        return ended;
      },
      { maxDuration: "6s" },
    );
    await vi.waitFor(() => expect(worker.running).toBe(1), patiently);
    const takenMs = performance.now();
    const lease = await vi.waitFor(async () => {
      const [found] = await there.pull();
      expect(found).toMatchObject({ id, crashes: 1, attempt: 1 });
      return found;
    }, patiently);
    expect(performance.now() - takenMs).toBeGreaterThan(5_000);
    await vi.waitFor(() => expect(isLeaseLostError(lost)).toBe(true), patiently);
    await lease?.ack();
    end();
    await worker.stop();
    expect((await there.stats()).depth).toBe(0);
  });

  it("emits `error` for a handler that throws after it has acked its message", async () => {
    const { open } = await start();
    const queue = open();
    const errors: string[] = [];
    queue.on("error", ({ operation, error }) => errors.push(`${operation}: ${error.message}`));
    queue.consume(async (_, lease) => {
      await lease.ack();
      throw new Error("too late");
    });
    await queue.push(1);
    await vi.waitFor(() => expect(errors).toEqual(["handler: too late"]), patiently);
    expect(await queue.stats()).toMatchObject({ depth: 0, inFlight: 0, delayed: 0, dead: 0 });
  });

  it("rejects the late ones of several acks, and no others", async () => {
    const { open } = await start();
    const [here, there] = [open({ visibilityTimeout: "400ms" }), open({ visibilityTimeout: "400ms" })];
    await here.pushMany(numbers(3));
    const leases = await here.pull({ max: 3 });
    expect(leases.length).toBe(3);
    const extending = setInterval(() => void leases[1]?.extend().catch(() => {}), 100);
    const recovered = await vi.waitFor(async () => {
      const found = await there.pull({ max: 10 });
      expect(found.length).toBe(2);
      return found;
    }, patiently);
    clearInterval(extending);
    const outcomes = await Promise.allSettled(leases.map((lease) => lease.ack()));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected"]);
    await Promise.all(recovered.map((lease) => lease.ack()));
    expect(await here.stats()).toMatchObject({ depth: 0, inFlight: 0 });
  });

  it("holds no more than 500 leases at once", async () => {
    const { open, redis, prefix } = await start();
    const queue = open();
    await queue.pushMany(numbers(1_200));
    const [first, second] = [await queue.pull({ max: 400 }), await queue.pull({ max: 400 })];
    expect([first.length, second.length]).toEqual([400, 100]);
    expect(await queue.pull({ max: 10 })).toEqual([]);
    await Promise.all([...first, ...second].map((lease) => lease.ack()));
    let most = 0;
    let done = 0;
    const worker = queue.consume(
      async () => {
        most = Math.max(most, worker.running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        done++;
      },
      { concurrency: 500 },
    );
    let pending = 0;
    await vi.waitFor(async () => {
      const reply = await redis?.command("XPENDING", `${prefix}:normal`, "workers");
      pending = Math.max(pending, Number((reply as readonly unknown[])[0]));
      expect(done).toBe(700);
    }, patiently);
    expect(pending).toBeLessThanOrEqual(500);
    expect(most).toBeLessThanOrEqual(500);
  });

  it("never puts the content of a message into an event or an error", async () => {
    const { open, connect, redis, prefix } = await start();
    const secret = 4_815_162_342;
    const queue = open({ maxAttempts: 2, backoff: { initial: "10ms" }, visibilityTimeout: "300ms", timeout: "500ms" });
    const told: string[] = [];
    for (const name of ["error", "dead", "recovered", "kept", "repaired"] as const) {
      queue.on(name, (event: object) => {
        const { error } = event as { readonly error?: Error };
        told.push(`${name} ${JSON.stringify(event)} ${error?.message} ${error?.stack}`);
      });
    }
    await connect().send([["XADD", `${prefix}:high`, "*", "i", "odd", "e", `{${secret}`]]);
    const worker = queue.consume(() => {
      throw new Error("no luck");
    });
    await queue.push(secret, { id: "one" });
    await vi.waitFor(() => expect(told.filter((line) => line.startsWith("dead")).length).toBe(2), patiently);
    await redis?.kill();
    await queue.push(secret);
    await expect(queue.push(secret, { fallback: false })).rejects.not.toThrow(String(secret));
    await queue.stats().catch((error: Error) => told.push(String(error.stack)));
    await worker.stop({ timeout: "1ms" });
    await queue.close();
    expect(told.some((line) => line.startsWith("kept"))).toBe(true);
    expect(told.some((line) => line.startsWith("error"))).toBe(true);
    expect(told.filter((line) => line.includes(String(secret)))).toEqual([]);
  });
});

describe.each(faulty)("over $name", ({ start }) => {
  it("does no message twice after an outage during its ack or nack", async () => {
    const { proxy, queue, other } = await start(opened, { visibilityTimeout: "20s", timeout: "500ms" });
    await other.pushMany(numbers(3));
    const finish: (() => void)[] = [];
    const done: number[] = [];
    queue.consume(
      async (event) => {
        await new Promise<void>((resolve) => finish.push(resolve));
        done.push(event);
        if (event === 2) throw new Error("no luck");
      },
      { concurrency: 3 },
    );
    await vi.waitFor(() => expect(finish.length).toBe(3), patiently);
    proxy.set({ kind: "refuse" });
    proxy.cut();
    for (const each of finish) each();
    // Longer than a call may take.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await other.stats()).inFlight).toBe(3);
    proxy.set({ kind: "pass" });
    await vi.waitFor(async () => {
      expect(await other.stats()).toMatchObject({ depth: 0, inFlight: 0, delayed: 1 });
    }, patiently);
    expect(done.sort()).toEqual([0, 1, 2]);
  });

  it("keeps the deadline of a call over all its round trips", async () => {
    const { proxy, queue } = await start(opened, { timeout: "5s" });
    await queue.pull();
    proxy.set({ kind: "blackhole" });
    const stuck = queue.pull().catch(() => {});
    const aborting = new AbortController();
    const aborted = queue.pull({ signal: aborting.signal });
    await expect(queue.pull({ timeout: "200ms" })).rejects.toMatchObject({ kind: "timeout" });
    await expect(queue.stats({ timeout: "200ms" })).rejects.toMatchObject({ kind: "timeout" });
    aborting.abort();
    await expect(aborted).rejects.toMatchObject({ kind: "aborted" });
    proxy.set({ kind: "pass" });
    proxy.cut();
    await stuck;
  });
});

describe.each(servers)("over $name, where each request arrives twice and the second answer is heard", (backend) => {
  it("acks and pulls as usual, and pushes an id once", async () => {
    const { connect, prefix, open } = await queuesOn<number>(backend, opened);
    const real = connect();
    const send: Transport["send"] = async (...trip) => {
      await real.send(...trip);
      return real.send(...trip);
    };
    const queue = opened(new FederationQueue<number>({ transport: { ...real, send } }, { prefix }));
    const other = open();
    expect(await queue.push(1, { id: "one" })).toEqual({ id: "one" });
    expect(await queue.push(1, { id: "one" })).toEqual({ id: "one", duplicate: true });
    expect(await queue.push(2, { id: "two", delay: "1h" })).toEqual({ id: "two" });
    await other.pushMany(numbers(8, "high"));
    // Each first request has given this process a message too, in a reply that was lost.
    const [single] = await queue.pull();
    await single?.ack();
    const many = await queue.pull({ max: 2 });
    expect(many.length).toBe(2);
    await Promise.all(many.map((lease) => lease.ack()));
    expect(await other.stats()).toMatchObject({ delayed: 1, priorities: { normal: { depth: 1 } } });
    await expect(single?.ack()).rejects.toThrow(/lease/);
  });
});

it("polls where the backend can't subscribe", async () => {
  const { send, close } = opened(memoryTransport());
  const transport = { name: "memory", send, close };
  const queue = opened(new FederationQueue<number>({ transport }, { pollInterval: "300ms", visibilityTimeout: "1s" }));
  const done: number[] = [];
  queue.consume((event) => void done.push(event));
  await queue.push(1);
  await queue.push(2, { delay: "200ms" });
  await vi.waitFor(() => expect(done).toEqual([1, 2]), patiently);
});

it("starts no handler after one has stopped the worker, whatever is being fetched", async () => {
  const own = memoryTransport();
  const transport: Transport = {
    name: own.name,
    // Handlers are faster than reads: nearly always one is in flight.
    async send(commands, options) {
      if (commands.some(([name]) => name === "XREADGROUP")) await new Promise((resolve) => setTimeout(resolve, 1));
      return own.send(commands, options);
    },
    close: () => own.close(),
  };
  for (let last = 1; last <= 100; last += 20) {
    const queue = opened(
      new FederationQueue<number>({ transport }, { prefix: `stopped-${last}`, priorities: ["all"] }),
    );
    await queue.pushMany(numbers(400, "all"));
    let begun = 0;
    const worker = queue.consume(
      async () => {
        if (++begun === last) void worker.stop();
      },
      { concurrency: 8 },
    );
    await vi.waitFor(() => expect(begun).toBeGreaterThanOrEqual(last), patiently);
    await worker.stop();
    expect(begun).toBe(last);
    await queue.close();
  }
  await transport.close();
});
