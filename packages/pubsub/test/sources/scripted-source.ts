import type { SharedStream, TopicListener } from "@continuum-cache/core/kit";
import type { Entry } from "../../src/history/entry.ts";
import type { HistoryPage, HistoryReader } from "../../src/history/read-history.ts";
import type { Gap, Position } from "../../src/index.ts";
import { createReplaySource } from "../../src/sources/replay-source.ts";

/** What can happen next between a publisher, a server's history, the stream of messages and a subscriber. */
export type Action =
  | "publish"
  /** The oldest message on its way to the subscriber arrives. */
  | "deliver"
  | "break"
  | "restore"
  /** The server answers the subscriber's oldest read of the history; then the answer arrives, or is lost. */
  | "execute"
  | "answer"
  | "fail"
  /** The server forgets the history; or all messages but the last. */
  | "flush"
  | "trim";

export type Told = { readonly kind: "message"; readonly id: number } | { readonly kind: "gap"; readonly gap: Gap };

interface Read {
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: Error): void;
  result?: { readonly value: unknown };
}

export interface ScriptedSource {
  readonly told: readonly Told[];
  /** The ids of all messages that came after the subscriber, in order. */
  readonly published: readonly number[];
  enabled(): readonly Action[];
  act(action: Action): Promise<void>;
  /** Lets everything come to rest: the stream is there, and what is on its way has arrived. */
  settle(): Promise<void>;
  close(): void;
}

export interface Script {
  /** Whether the subscriber begins a history where there is none, as it does unless it may only read. */
  readonly begins: boolean;
  /** So many messages are stored before it comes. */
  readonly stored: number;
  /** `"first"`: it resumes behind the first of them. */
  readonly after?: "beginning" | "first";
  /** How often each may happen. */
  readonly limits: Readonly<Partial<Record<Action, number>>>;
  /** Lets timers fire. */
  readonly pass: () => Promise<void>;
}

const flushed = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** The source of the package itself, over a server and a stream that do one thing at a time, as they are told. */
export async function scriptedSource({ begins, stored, after, limits, pass }: Script): Promise<ScriptedSource> {
  let clock = 1_000;
  let history: { readonly epoch: number; next: number; entries: Entry[] } | undefined;
  let nextId = 0;
  let isUp = true;
  const inFlight: string[] = [];
  const reads: Read[] = [];
  const told: Told[] = [];
  const counts = new Map<Action, number>();
  let listener: TopicListener | undefined;

  const publish = (): void => {
    history ??= { epoch: ++clock, next: 0, entries: [] };
    const id = nextId++;
    const position = { epoch: history.epoch, seq: history.next++, tag: `tag-${id}` };
    history.entries.push({ position, publishedAtMs: 0, text: String(id) });
    if (isUp && listener) inFlight.push(`~${position.epoch}-${position.seq}:${position.tag}:${id}`);
  };

  const newest = (): Position | undefined => {
    if (begins) history ??= { epoch: ++clock, next: 0, entries: [] };
    return history && (history.entries.at(-1)?.position ?? { epoch: history.epoch, seq: history.next - 1 });
  };
  const page = (from: Position | undefined): HistoryPage => {
    const isAtOrBehind = ({ position: { epoch, seq } }: Entry): boolean =>
      !from || epoch > from.epoch || (epoch === from.epoch && seq >= from.seq);
    const position = newest();
    const all = (history?.entries ?? []).filter(isAtOrBehind);
    const entries = all.slice(0, 2);
    return { newest: position && { position }, entries, more: all.length > 2 ? entries.at(-1)?.position : undefined };
  };
  const ask = <Value>(run: () => Value): Promise<Value> =>
    new Promise((resolve, reject) => reads.push({ run, resolve: resolve as Read["resolve"], reject }));
  const reader: HistoryReader = {
    newest: () => ask(newest),
    page: (_, from) => ask(() => page(from)),
    keep: async () => {},
  };
  const stream: Pick<SharedStream, "attach"> = {
    async attach(_, attached) {
      listener = attached;
      return { start: { atMs: Date.now(), degraded: false }, detach: () => {} };
    },
  };

  for (let count = 0; count < stored; count++) publish();
  const firstPlace: Position = { epoch: clock, seq: 0, tag: "tag-0" };
  const source = createReplaySource({
    stream: stream as SharedStream,
    topic: { kind: "channel", name: "c" },
    named: { channel: "c" },
    decode: (_, text) => ({ data: Number(text) }),
    toMessage: () => undefined,
    reader,
    timeoutMs: 1_000,
    keepEveryMs: 1_000_000,
    onError: () => {},
  });
  const joined = source.join(
    {
      message: ({ data }) => void told.push({ kind: "message", id: data as number }),
      gap: (gap) => void told.push({ kind: "gap", gap }),
    },
    { timeoutMs: 1_000, ...(after && { after: after === "first" ? firstPlace : after }) },
  );
  await flushed();
  const answerAll = async (): Promise<void> => {
    for (let read = reads.shift(); read; read = reads.shift()) {
      read.resolve(read.result ? read.result.value : read.run());
      await flushed();
    }
  };
  // To subscribe is one step here; what comes behind it is what the script is about.
  const begin = reads.shift();
  begin?.resolve(begin.run());
  await joined;
  await flushed();
  const firstId = after === "first" ? 1 : nextId;

  const steps: Readonly<Record<Action, { can(): boolean; do(): void }>> = {
    publish: { can: () => true, do: publish },
    deliver: {
      can: () => inFlight.length > 0,
      do: () => listener?.message({ channel: "c", data: inFlight.shift() ?? "" }),
    },
    break: {
      can: () => isUp,
      do() {
        isUp = false;
        inFlight.length = 0;
        listener?.lost({ sinceMs: 0, error: new Error("broken") as never });
      },
    },
    restore: {
      can: () => !isUp,
      do() {
        isUp = true;
        listener?.restored({ atMs: Date.now(), degraded: false });
      },
    },
    execute: {
      can: () => reads.some(({ result }) => !result),
      do() {
        const read = reads.find(({ result }) => !result);
        if (read) read.result = { value: read.run() };
      },
    },
    answer: { can: () => reads[0]?.result !== undefined, do: () => reads[0]?.resolve(reads.shift()?.result?.value) },
    fail: { can: () => reads.length > 0, do: () => reads.shift()?.reject(new Error("no answer")) },
    flush: {
      can: () => true,
      do() {
        history = undefined;
      },
    },
    trim: {
      can: () => (history?.entries.length ?? 0) > 1,
      do() {
        if (history) history.entries = history.entries.slice(-1);
      },
    },
  };
  const isLeft = (action: Action): boolean => (counts.get(action) ?? 0) < (limits[action] ?? 0);

  return {
    told,
    get published() {
      return Array.from({ length: nextId - firstId }, (_, index) => firstId + index);
    },
    enabled: () => (Object.keys(steps) as Action[]).filter((action) => isLeft(action) && steps[action].can()),
    async act(action) {
      counts.set(action, (counts.get(action) ?? 0) + 1);
      steps[action].do();
      await flushed();
    },
    async settle() {
      if (!isUp) steps.restore.do();
      await flushed();
      for (let round = 0; round < 200 && (reads.length > 0 || inFlight.length > 0 || round < 3); round++) {
        await answerAll();
        while (inFlight.length > 0) steps.deliver.do();
        await flushed();
        if (reads.length === 0) await pass();
      }
    },
    close: () => source.close(),
  };
}
