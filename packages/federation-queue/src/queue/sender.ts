import { type Command, CommandError, isCommandError, type Reply } from "@continuum-cache/core";
import { isUnanswered } from "@continuum-cache/core/kit";
import { type Notifier, readNotifications } from "../shared/notifier.ts";
import type { PrimaryCallOptions, PrimaryClient } from "../shared/primary-client.ts";
import { writeFields } from "./message-fields.ts";
import { delayedMember, type PendingPush } from "./pending-push.ts";
import { pushManyScript, pushScript, toLines } from "./push-scripts.ts";
import { writeNotification } from "./queue-notifier.ts";
import { AcceptedLines, type AcceptedPushes, SingleAcceptedPush } from "./repair/recent-pushes.ts";
import type { PriorityStream, QueueSettings } from "./settings.ts";

/** Whether XADD alone pushes it. */
const isPlain = ({ delayMs, isUnique, uncertain }: PendingPush): boolean => delayMs === 0 && !isUnique && !uncertain;

/** The outcome of a push: it is in Redis, its id was there before, or Redis refused it. */
export type PushOutcome =
  | {
      readonly kind: "pushed";
      /** An earlier attempt had pushed it. */
      readonly wasThere?: true;
    }
  | { readonly kind: "duplicate" }
  | { readonly kind: "refused"; readonly error: CommandError };

/** Sends pushes, and notifies the workers of them. */
export interface Sender {
  /**
   * Sends them in order, in one round trip. When no answer comes, the pushes are marked as uncertain: the next attempt
   * searches for them.
   *
   * @throws TransportError when no answer came.
   */
  send(pushes: readonly PendingPush[], options: PrimaryCallOptions): Promise<readonly PushOutcome[]>;
  /** Marks pushes of an attempt that left then, and whose outcome is unknown. */
  markUncertain(pushes: readonly PendingPush[], startedMs: number): void;
}

/** A push as a command of its own: a plain XADD where that is enough, else the script. */
type SinglePush =
  | { readonly kind: "plain"; readonly command: Command }
  | { readonly kind: "script"; readonly keys: readonly string[]; readonly args: readonly (string | number)[] };

/** Many plain pushes to the same stream as one script. */
interface ManyPushes {
  readonly kind: "many";
  readonly command: Command;
  readonly stream: PriorityStream;
  readonly lines: string;
  readonly count: number;
}

type PushCommand = SinglePush | ManyPushes;

/** Entries older than this many retentions are trimmed by pushes, for queues that no process maintains. */
const trimmedRetentions = 2;
/** From this many consecutive plain pushes on one script costs less, although Upstash bills it as one command more. */
const leastMany = 8;

/** @param onAccepted - Called with the pushes that are in Redis now and can be looked up there. */
export function createSender(
  client: PrimaryClient,
  settings: QueueSettings,
  notifier: Pick<Notifier, "notify" | "notifyAlong">,
  onAccepted: (pushes: readonly AcceptedPushes[]) => void,
): Sender {
  // The server's time of the latest entry, per stream: a server with a wrong clock spoils only the streams it has
  // written to.
  const latest = new Map<PriorityStream, number>();
  const workNotes = new Map(
    settings.keys.streams.map((stream) => [stream, writeNotification({ kind: "work", name: stream.name })]),
  );
  const latestMs = (stream: PriorityStream): number => latest.get(stream) ?? 0;
  const sawEntry = (stream: PriorityStream, entryId: string): void => {
    latest.set(stream, Math.max(latestMs(stream), Number.parseInt(entryId, 10)));
  };
  const markUncertain: Sender["markUncertain"] = (pushes, startedMs) => {
    for (const push of pushes) push.uncertain ??= { atMs: startedMs, afterMs: latestMs(push.stream) };
  };

  /** A notification at the end of the round trip: by then plain messages are in their streams. */
  const notificationFor = (pushes: readonly PendingPush[]): Command | undefined => {
    const notes = new Set<string>();
    let count = 0;
    for (const push of pushes) {
      if (!isPlain(push)) continue;
      notes.add(workNotes.get(push.stream) as string);
      count++;
    }
    return count === 0 ? undefined : notifier.notifyAlong(notes, count);
  };

  const readSingle = ({ kind }: SinglePush, push: PendingPush, reply: Reply, accepted: AcceptedPushes[]) => {
    const outcome = readOutcome(reply);
    if (outcome.kind !== "pushed") return outcome;
    const { stream, delayMs } = push;
    if (kind === "script") {
      // Its message may have been there before, or be delayed: workers are notified now that the outcome is known.
      notifier.notify(delayMs > 0 ? writeNotification({ kind: "delayed", inMs: delayMs }) : workNotes.get(stream));
    }
    const entryId = entryIdOf(reply);
    if (entryId !== "" && delayMs === 0) sawEntry(stream, entryId);
    if (entryId !== "" || push.isUnique) accepted.push(new SingleAcceptedPush(push, entryId));
    return outcome;
  };
  const readReplies = (
    pushes: readonly PendingPush[],
    commands: readonly PushCommand[],
    replies: readonly Reply[],
  ): readonly PushOutcome[] => {
    const outcomes: PushOutcome[] = [];
    const accepted: AcceptedPushes[] = [];
    for (const [at, command] of commands.entries()) {
      const reply = replies[at] ?? null;
      if (command.kind !== "many") {
        outcomes.push(readSingle(command, pushes[outcomes.length] as PendingPush, reply, accepted));
        continue;
      }
      const lines = readMany(command, reply, outcomes);
      if (!lines) continue;
      accepted.push(lines);
      // The last entry of a command is its latest.
      sawEntry(command.stream, lines.lastEntryId);
    }
    if (accepted.length > 0) onAccepted(accepted);
    return outcomes;
  };

  return {
    markUncertain,
    async send(pushes, options) {
      const startedMs = performance.now();
      const commands = toCommands(pushes, settings, latestMs);
      const notification = notificationFor(pushes);
      try {
        const replies = await client.send(toWire(commands, notification), options);
        const unknown = commands.flatMap(({ kind }, at) => (kind === "script" && isUnknown(replies[at]) ? [at] : []));
        if (unknown.length > 0) await sendByText(client, commands, unknown, replies, options);
        return readReplies(pushes, commands, replies);
      } catch (error) {
        if (!isUnanswered(error) || error.delivery !== "none") markUncertain(pushes, startedMs);
        // It took along notifications of other pushes, which may be in the queue.
        if (notification) for (const note of readNotifications(String(notification[2]))) notifier.notify(note);
        throw error;
      }
    },
  };
}

/** @param latestMs - The server's time of the latest known entry of a stream; 0: unknown. */
function toCommands(
  pushes: readonly PendingPush[],
  settings: QueueSettings,
  latestMs: (stream: PriorityStream) => number,
): readonly PushCommand[] {
  const commands: PushCommand[] = [];
  for (let at = 0; at < pushes.length; ) {
    const { stream } = pushes[at] as PendingPush;
    const floorMs = Math.max(0, latestMs(stream) - trimmedRetentions * settings.retentionMs);
    let end = at;
    for (let push = pushes[end]; push && push.stream === stream && isPlain(push); push = pushes[end]) end++;
    if (end - at >= leastMany) {
      commands.push(manyPushes(pushes.slice(at, end), stream, floorMs));
      at = end;
    } else {
      const last = Math.max(end, at + 1);
      for (; at < last; at++) commands.push(singlePush(pushes[at] as PendingPush, settings, floorMs));
    }
  }
  return commands;
}

function toWire(commands: readonly PushCommand[], notification: Command | undefined): readonly Command[] {
  // Of many scripts the first comes by its text, so that the server knows it for the others.
  const first = commands.length > 1 ? commands.findIndex(({ kind }) => kind === "script") : -1;
  const wire = commands.map((command, at) => wireCommand(command, at === first));
  if (notification) wire.push(notification);
  return wire;
}

/** Sends scripts that the server does not know once more, by their text, and puts their replies into place. */
async function sendByText(
  client: PrimaryClient,
  commands: readonly PushCommand[],
  unknown: readonly number[],
  replies: Reply[],
  options: PrimaryCallOptions,
): Promise<void> {
  const repeated = unknown.flatMap((at) => (commands[at] ? [wireCommand(commands[at], true)] : []));
  const answers = await client.send(repeated, options);
  for (const [index, at] of unknown.entries()) replies[at] = answers[index] ?? null;
}

function manyPushes(pushes: readonly PendingPush[], stream: PriorityStream, floorMs: number): ManyPushes {
  const lines = toLines(pushes);
  // By its text, which is short: resent after a NOSCRIPT it would arrive after the next round trip's pushes.
  const command: Command = ["EVAL", pushManyScript.lua, 1, stream.key, floorMs || "", lines];
  return { kind: "many", command, stream, lines, count: pushes.length };
}

/** @param floorMs - Entries older than this are trimmed, by the server's clock; 0: unknown. */
function singlePush(push: PendingPush, { keys, retentionMs, timeoutMs }: QueueSettings, floorMs: number): SinglePush {
  const { id, stream, text, delayMs, isUnique, nonce, uncertain } = push;
  if (isPlain(push)) {
    const trim = floorMs > 0 ? ["MINID", "~", floorMs] : [];
    return { kind: "plain", command: ["XADD", stream.key, ...trim, "*", "i", id, "e", text] };
  }
  const sinceMs = uncertain ? Math.ceil(performance.now() - uncertain.atMs) + timeoutMs : 0;
  const words = delayMs > 0 ? [delayedMember(push)] : writeFields({ i: id, e: text });
  return {
    kind: "script",
    keys: [delayMs > 0 ? keys.delayed : stream.key, ...(isUnique ? [keys.marker(id)] : [])],
    args: [
      retentionMs + delayMs,
      nonce,
      delayMs > 0 ? delayMs : "",
      sinceMs,
      uncertain?.afterMs ?? 0,
      floorMs > 0 ? floorMs : "",
      ...words,
    ],
  };
}

function wireCommand(command: PushCommand, byText: boolean): Command {
  if (command.kind !== "script") return command.command;
  const { lua, sha1 } = pushScript;
  return [byText ? "EVAL" : "EVALSHA", byText ? lua : sha1, command.keys.length, ...command.keys, ...command.args];
}

const pushed: PushOutcome = { kind: "pushed" };

/**
 * Adds an outcome for each push; see `pushManyScript`.
 *
 * @returns the accepted pushes, if there are any.
 */
function readMany(
  { stream, lines, count }: ManyPushes,
  reply: Reply,
  outcomes: PushOutcome[],
): AcceptedLines | undefined {
  const error = isCommandError(reply) ? reply : undefined;
  const text = typeof reply === "string" ? reply : "";
  // Only the last line can be a refusal.
  const refusedAt = text.startsWith("-") ? 0 : text.indexOf("\n-") + 1;
  const isRefused = error !== undefined || text.startsWith("-") || refusedAt > 0;
  const entryIds = isRefused ? text.slice(0, Math.max(0, refusedAt - 1)) : text;
  const done = !isRefused ? count : entryIds === "" ? 0 : entryIds.split("\n").length;
  for (let at = 0; at < done; at++) outcomes.push(pushed);
  if (done < count) {
    const refused: PushOutcome = { kind: "refused", error: error ?? new CommandError(text.slice(refusedAt + 1)) };
    for (let at = done; at < count; at++) outcomes.push(refused);
  }
  return entryIds === "" ? undefined : new AcceptedLines(stream, lines, entryIds, done);
}

const isUnknown = (reply: Reply | undefined): boolean => isCommandError(reply) && reply.code === "NOSCRIPT";

function readOutcome(reply: Reply): PushOutcome {
  if (typeof reply === "string") return pushed;
  if (isCommandError(reply)) return { kind: "refused", error: reply };
  const kind = Array.isArray(reply) ? (reply as readonly Reply[])[0] : undefined;
  if (kind === "duplicate") return { kind: "duplicate" };
  return kind === "same" ? { kind: "pushed", wasThere: true } : pushed;
}

/** The id of its entry, or its due time; "" where it is not known. */
function entryIdOf(reply: Reply): string {
  const entryId = Array.isArray(reply) ? (reply as readonly Reply[])[1] : reply;
  return typeof entryId === "string" ? entryId : "";
}
