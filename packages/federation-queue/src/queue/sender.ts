import { type Command, CommandError, isCommandError, type Reply } from "@continuum-cache/core";
import type { Link, LinkOptions } from "../shared/link.ts";
import { type Notifier, readNotifications } from "../shared/notifier.ts";
import { writeFields } from "./message-fields.ts";
import { writeNote } from "./notes.ts";
import { delayedMember, type Outgoing } from "./outgoing.ts";
import { AcceptedLines, pushManyScript, toLines } from "./push-many-script.ts";
import { pushScript } from "./push-script.ts";
import type { Source } from "./queue-keys.ts";
import type { AcceptedPush, AcceptedPushes } from "./recent-pushes.ts";
import type { QueueSettings } from "./settings.ts";

/** What became of a push: it is there, was there, or Redis refused it. */
export type PushOutcome =
  | {
      readonly kind: "pushed";
      /** An earlier attempt had done it. */
      readonly wasThere?: true;
    }
  | { readonly kind: "duplicate" }
  | { readonly kind: "refused"; readonly error: CommandError };

/** Refusals that say nothing against the push. */
export const isPassing = ({ code }: CommandError): boolean =>
  ["OOM", "MISCONF", "BUSY", "NOREPLICAS", "UNKILLABLE"].includes(code);

/** What became of the pushes of a trip. */
export interface Sent {
  /** In order. */
  readonly outcomes: readonly PushOutcome[];
  /** Those that are in Redis now, and can be looked for there. */
  readonly accepted: readonly AcceptedPushes[];
}

/** Sends pushes, and rings the doorbell for them. */
export interface Sender {
  /** In order, in one trip. @throws TransportError when no answer came. */
  send(outs: readonly Outgoing[], options: LinkOptions): Promise<Sent>;
  /** When the latest of this process's entries was pushed to a stream, in ms, by the server's clock; 0: none was. */
  latestMs(source: Source): number;
}

/** A push as something that can be sent: a plain command where that is enough. */
type PushRequest =
  | { readonly kind: "plain"; readonly command: readonly [string, ...(string | number)[]] }
  | { readonly kind: "script"; readonly keys: readonly string[]; readonly args: readonly (string | number)[] };

/** One command of a trip: a push, or so many plain ones to the same stream. */
type Leg = PushRequest | ManyLeg;
interface ManyLeg {
  readonly kind: "many";
  readonly command: Command;
  readonly source: Source;
  readonly lines: string;
  readonly count: number;
}

/** Entries older than so many retentions are nobody's: this cuts them off where nobody tends the queue. */
const backstopRetentions = 2;
/** So many plain pushes in a row cost less as one script, which is billed as one command more. */
const leastTogether = 8;

/** Whether XADD alone pushes it. */
const isPlain = ({ delayMs, isUnique, tried }: Outgoing): boolean => delayMs === 0 && !isUnique && !tried;

export function createSender(
  link: Link,
  settings: QueueSettings,
  doorbell: Pick<Notifier, "notify" | "notifyAlong">,
): Sender {
  // Of each stream by itself: what a server with a wrong clock has written to one says nothing of the others.
  const latest = new Map<Source, number>();
  const notes = new Map(
    settings.keys.sources.map((source) => [source, writeNote({ kind: "work", name: source.name })]),
  );
  const latestMs = (source: Source): number => latest.get(source) ?? 0;
  const floorMs = (source: Source): number => Math.max(0, latestMs(source) - backstopRetentions * settings.retentionMs);

  /** Entries of a stream follow one another: the last one of a command is the latest. */
  const know = (source: Source, entryId: string): void => {
    latest.set(source, Math.max(latestMs(source), Number.parseInt(entryId, 10)));
  };

  const many = (outs: readonly Outgoing[], source: Source): ManyLeg => {
    const lines = toLines(outs);
    // By its text, which is short: a script that the server does not know would come behind the next trip.
    const command: Command = ["EVAL", pushManyScript.lua, 1, source.key, floorMs(source) || "", lines];
    return { kind: "many", command, source, lines, count: outs.length };
  };
  const legsOf = (outs: readonly Outgoing[]): readonly Leg[] => {
    const legs: Leg[] = [];
    for (let at = 0; at < outs.length; ) {
      const { source } = outs[at] as Outgoing;
      let end = at;
      for (let out = outs[end]; out && out.source === source && isPlain(out); out = outs[end]) end++;
      if (end - at >= leastTogether) {
        legs.push(many(outs.slice(at, end), source));
        at = end;
      } else {
        const last = Math.max(end, at + 1);
        for (; at < last; at++) legs.push(pushRequest(outs[at] as Outgoing, settings, floorMs(source)));
      }
    }
    return legs;
  };

  /** Plain messages are in their streams when a ring at the end of their trip is heard. */
  const ringFor = (outs: readonly Outgoing[]): Command | undefined => {
    const told = new Set<string>();
    let count = 0;
    for (const out of outs) {
      if (!isPlain(out)) continue;
      told.add(notes.get(out.source) as string);
      count++;
    }
    return count === 0 ? undefined : doorbell.notifyAlong(told, count);
  };
  /** What a script pushes may be there already, or not before its time. */
  const ringAfter = (out: Outgoing, outcome: PushOutcome | undefined): void => {
    if (outcome?.kind !== "pushed") return;
    doorbell.notify(out.delayMs > 0 ? writeNote({ kind: "delayed", inMs: out.delayMs }) : notes.get(out.source));
  };

  const send: Sender["send"] = async (outs, options) => {
    const legs = legsOf(outs);
    const ring = ringFor(outs);
    // In a trip of many the script comes by its text once, so that none has to be sent again, behind the others.
    const first = legs.length > 1 ? legs.findIndex(({ kind }) => kind === "script") : -1;
    const commands = legs.map((leg, at) => commandOf(leg, at === first));
    if (ring) commands.push(ring);
    let replies: Reply[];
    try {
      replies = await link.send(commands, options);
    } catch (error) {
      // It took along the notes of other pushes, which may be in the queue.
      if (ring) for (const note of readNotifications(String(ring[2]))) doorbell.notify(note);
      throw error;
    }
    const unknown = legs.flatMap(({ kind }, at) => (kind === "script" && isUnknown(replies[at]) ? [at] : []));
    if (unknown.length > 0) {
      const again = unknown.flatMap((at) => (legs[at] ? [commandOf(legs[at], true)] : []));
      const answers = await link.send(again, options);
      for (const [index, at] of unknown.entries()) replies[at] = answers[index] ?? null;
    }
    const outcomes: PushOutcome[] = [];
    const accepted: AcceptedPushes[] = [];
    for (const [at, leg] of legs.entries()) {
      const reply = replies[at] ?? null;
      if (leg.kind === "many") {
        const pushes = readMany(leg, reply, outcomes);
        if (!pushes) continue;
        accepted.push(pushes);
        know(leg.source, pushes.lastEntryId);
        continue;
      }
      const out = outs[outcomes.length] as Outgoing;
      const outcome = readOutcome(reply);
      outcomes.push(outcome);
      if (leg.kind === "script") ringAfter(out, outcome);
      if (outcome.kind !== "pushed") continue;
      const entryId = entryIdOf(reply);
      if (entryId !== "" || out.isUnique) accepted.push(new AcceptedOne(out, entryId));
      if (entryId !== "" && out.delayMs === 0) know(out.source, entryId);
    }
    return { outcomes, accepted };
  };

  return { send, latestMs };
}

/** One push that was accepted by itself. */
class AcceptedOne implements AcceptedPushes {
  readonly count = 1;
  readonly bytes: number;
  readonly #push: AcceptedPush;

  constructor(out: Outgoing, entryId: string) {
    this.bytes = out.bytes;
    this.#push = { out, entryId };
  }

  ids(): readonly string[] {
    return [this.#push.out.id];
  }

  each(): readonly AcceptedPush[] {
    return [this.#push];
  }
}

/** @param floorMs - The least time that is kept, by the server's clock; 0: not known. */
function pushRequest(out: Outgoing, { keys, retentionMs, timeoutMs }: QueueSettings, floorMs: number): PushRequest {
  const { id, source, text, delayMs, isUnique, nonce, tried } = out;
  if (isPlain(out)) {
    const trim = floorMs > 0 ? ["MINID", "~", floorMs] : [];
    return { kind: "plain", command: ["XADD", source.key, ...trim, "*", "i", id, "e", text] };
  }
  const doubtMs = tried ? Math.ceil(performance.now() - tried.atMs) + timeoutMs : 0;
  const words = delayMs > 0 ? [delayedMember(out)] : writeFields({ i: id, e: text });
  return {
    kind: "script",
    keys: [delayMs > 0 ? keys.delayed : source.key, ...(isUnique ? [keys.marker(id)] : [])],
    args: [
      retentionMs + delayMs,
      nonce,
      delayMs > 0 ? delayMs : "",
      doubtMs,
      tried?.afterMs ?? 0,
      floorMs > 0 ? floorMs : "",
      ...words,
    ],
  };
}

function commandOf(leg: Leg, byText: boolean): Command {
  if (leg.kind !== "script") return leg.command;
  const { lua, sha1 } = pushScript;
  return [byText ? "EVAL" : "EVALSHA", byText ? lua : sha1, leg.keys.length, ...leg.keys, ...leg.args];
}

const pushed: PushOutcome = { kind: "pushed" };

/**
 * Adds an outcome for each push of a leg; see `pushManyScript`.
 *
 * @returns what was accepted, if anything was.
 */
function readMany({ source, lines, count }: ManyLeg, reply: Reply, outcomes: PushOutcome[]): AcceptedLines | undefined {
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
  return entryIds === "" ? undefined : new AcceptedLines(source, lines, entryIds, done);
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
