import { EventEmitter } from "node:events";
import { isTransportError } from "@continuum-cache/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Connection } from "../src/connection/connection.ts";
import { createIdleLimit } from "../src/connection/idle-check.ts";
import type { TcpClient } from "../src/tcp-client.ts";
import { Trip } from "../src/trip/trip.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setImmediate", "clearImmediate", "setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A command as a client has it, and what the server at the other end would answer. */
interface Sent {
  readonly name: string;
  readonly args: readonly string[];
  resolve(reply: Buffer | number): void;
  reject(error: Error): void;
}

/** A client whose socket and server a test moves step by step. The server remembers what it was told, in order. */
class FakeClient extends EventEmitter {
  status = "wait";
  readonly queue: Sent[] = [];
  readonly told: string[] = [];
  stream = this.makeStream();
  ends = 0;

  makeStream() {
    return Object.assign(new EventEmitter(), {
      writable: true,
      destroyed: false,
      cork() {},
      uncork() {},
      write(_text: string) {},
      destroy: () => this.end(),
    });
  }

  connect = async (): Promise<void> => {
    this.status = "connecting";
  };
  duplicate = (): object => this;
  sendCommand = (command: object): void => {
    const sent = command as Sent;
    if (this.status !== "ready") throw new Error("Written to a connection that does not stand");
    this.queue.push(sent);
    if (sent.name !== "PING") this.told.push(sent.args.join(" "));
  };
  /** The attempt to connect succeeds. */
  ready(): void {
    if (this.status !== "connecting") return;
    this.status = "ready";
    this.emit("connect");
    this.emit("ready");
  }
  /** The socket ends, for whatever reason. */
  end(): void {
    if (this.status === "end" || this.status === "wait") return;
    this.status = "end";
    this.ends++;
    for (const sent of this.queue.splice(0)) sent.reject(new Error("Connection is closed."));
    this.stream.emit("close");
    this.emit("close");
    this.emit("end");
  }
  /** The server answers the oldest command. */
  answer(refuses: boolean): void {
    const sent = this.queue.shift();
    if (!sent) return;
    if (refuses) sent.reject(Object.assign(new Error("READONLY a replica"), { name: "ReplyError" }));
    else sent.resolve(sent.name === "PING" ? Buffer.from("PONG") : 1);
  }
}

/** A client whose socket the transport writes to itself. */
class SocketClient extends FakeClient {
  readonly mode = "normal";
  readonly commandQueue = { length: 0, peekFront() {}, peekBack() {}, peekAt() {} };

  override makeStream() {
    const stream = super.makeStream();
    stream.on("data", () => {
      throw new Error("A reply went to the parser of the client, which has sent nothing");
    });
    stream.write = (text) => {
      if (this.status !== "ready" || stream !== this.stream)
        throw new Error("Written to a connection that does not stand");
      const [, , name, , ...args] = text.trimEnd().split("\r\n") as [string, string, string, string, ...string[]];
      const reply = (line: string) => () => void stream.emit("data", Buffer.from(`${line}\r\n`));
      const resolve = reply(name === "PING" ? "+PONG" : ":1");
      this.queue.push({ name, args, resolve, reject: ({ message }) => reply(`-${message}`)() });
      if (name !== "PING") this.told.push(args.filter((_, at) => at % 2 === 0).join(" "));
    };
    return stream;
  }
  override ready(): void {
    if (this.status === "connecting") this.stream = this.makeStream();
    super.ready();
  }
  override end(): void {
    if (this.status === "end" || this.status === "wait") return;
    this.queue.length = 0;
    this.stream.destroyed = true;
    super.end();
  }
}

type Step = "send" | "answer" | "refuse" | "end" | "ready" | "rest" | "long rest" | "turn" | "renew";
const steps: readonly Step[] = ["send", "answer", "refuse", "end", "ready", "rest", "long rest", "turn", "renew"];

/** Lets time pass, and what waits for promises go on. */
async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** Lets everything happen that is under way, with a server that is well. */
async function settle(client: FakeClient, pending: () => number): Promise<void> {
  for (let round = 0; pending() > 0 && round < 50; round++) {
    client.ready();
    client.answer(false);
    await pass(60);
  }
}

async function run(sequence: readonly Step[], client: FakeClient): Promise<void> {
  const outcomes: (string | undefined)[] = [];
  let refusals = 0;
  const connection = new Connection({
    client: client as object as TcpClient,
    disconnect: () => client.end(),
    reconnects: () => true,
    connectTimeoutMs: 60_000,
    idle: createIdleLimit(),
    reconnect: { isPending: false, refused: () => void refusals++, accepted: () => {} },
    where: "here",
    secure: true,
  });
  const act: Readonly<Record<Step, () => unknown>> = {
    send() {
      const index = outcomes.length;
      outcomes.push(undefined);
      const trip = new Trip([["INCRBY", "n", index]], false, {
        answered() {
          outcomes[index] = "answered";
        },
        failed(error) {
          outcomes[index] = isTransportError(error) ? error.delivery : String(error);
        },
      });
      connection.send(trip);
    },
    answer: () => client.answer(false),
    refuse: () => client.answer(true),
    end: () => client.end(),
    ready: () => client.ready(),
    rest: () => pass(60),
    "long rest": () => pass(31_000),
    turn: () => pass(1),
    renew: () => connection.renew(),
  };
  for (const step of sequence) await act[step]();
  await settle(client, () => outcomes.filter((outcome) => outcome === undefined).length);

  const told = client.told.map((words) => Number(words.split(" ")[1]));
  // Every call has ended, and none was written twice or overtaken.
  expect(outcomes).not.toContain(undefined);
  expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
  for (const [index, outcome] of outcomes.entries()) {
    // What was not written is told so, and only what was written is in doubt.
    if (outcome === "unknown" || outcome === "answered") expect(told).toContain(index);
    if (!told.includes(index)) expect(outcome).toBe("none");
  }
  expect(connection.load).toEqual({ commands: 0, bytes: 0 });
  expect(connection.trips()).toEqual([]);
  await connection.close();
}

describe.each([
  ["through its client", FakeClient],
  ["past its client", SocketClient],
])("a connection that writes %s keeps its promises", (_, Client) => {
  it("in every sequence of four steps after the first call", async () => {
    for (let number = 0; number < steps.length ** 4; number++) {
      const sequence = [0, 1, 2, 3].map(
        (place) => steps[Math.floor(number / steps.length ** place) % steps.length] as Step,
      );
      await run(["send", "ready", ...sequence], new Client()).catch((cause: unknown) => {
        throw new Error(`after send, ready, ${sequence.join(", ")}`, { cause });
      });
    }
  });
});
