import { type Command, type CommandError, isCommandError, type Reply } from "@continuum-cache/core";
import { entryMs } from "./entry-id.ts";
import type { Link, LinkOptions } from "./link.ts";
import { type Outgoing, type PushRequest, pushRequest } from "./outgoing.ts";
import { pushScript } from "./push-script.ts";
import type { Source } from "./queue-keys.ts";
import type { QueueSettings } from "./queue-settings.ts";

/** What became of a push: it is there, was there, or Redis refused it. */
export type PushOutcome =
  | {
      readonly kind: "pushed";
      /** Absent where it is not known. */
      readonly entryId?: string;
      /** An earlier attempt had done it. */
      readonly wasThere?: true;
    }
  | { readonly kind: "duplicate" }
  | { readonly kind: "refused"; readonly error: CommandError };

/** Sends pushes. */
export interface Sender {
  /** In order, in one trip. @throws TransportError when no answer came. */
  send(outs: readonly Outgoing[], options: LinkOptions): Promise<readonly PushOutcome[]>;
  /** When the latest of this process's entries was pushed to a stream, in ms, by the server's clock; 0: none was. */
  latestMs(source: Source): number;
}

/** Entries older than so many retentions are nobody's: this cuts them off where nobody tends the queue. */
const backstopRetentions = 2;

export function createSender(link: Link, settings: QueueSettings): Sender {
  // Of each stream by itself: what a server with a wrong clock has written to one says nothing of the others.
  const latest = new Map<Source, number>();
  const latestMs = (source: Source): number => latest.get(source) ?? 0;

  const know = ({ source, delayMs }: Outgoing, outcome: PushOutcome): void => {
    if (delayMs > 0 || outcome.kind !== "pushed" || outcome.entryId === undefined) return;
    latest.set(source, Math.max(latestMs(source), entryMs(outcome.entryId)));
  };

  const send: Sender["send"] = async (outs, options) => {
    const requests = outs.map((out) =>
      pushRequest(out, settings, Math.max(0, latestMs(out.source) - backstopRetentions * settings.retentionMs)),
    );
    // In a trip of many the script comes by its text once, so that none has to be sent again, behind the others.
    const first = requests.length > 1 ? requests.findIndex(({ kind }) => kind === "script") : -1;
    const replies = await link.send(
      requests.map((request, at) => commandOf(request, at === first)),
      options,
    );
    const unknown = replies.flatMap((reply, at) => (isCommandError(reply) && reply.code === "NOSCRIPT" ? [at] : []));
    if (unknown.length > 0) {
      const again = unknown.flatMap((at) => (requests[at] ? [commandOf(requests[at], true)] : []));
      const answers = await link.send(again, options);
      for (const [index, at] of unknown.entries()) replies[at] = answers[index] ?? null;
    }
    const outcomes = replies.map(readOutcome);
    for (const [at, out] of outs.entries()) know(out, outcomes[at] ?? { kind: "pushed" });
    return outcomes;
  };

  return { send, latestMs };
}

const commandOf = (request: PushRequest, byText: boolean): Command =>
  request.kind === "plain"
    ? request.command
    : [
        byText ? "EVAL" : "EVALSHA",
        byText ? pushScript.lua : pushScript.sha1,
        request.keys.length,
        ...request.keys,
        ...request.args,
      ];

function readOutcome(reply: Reply): PushOutcome {
  if (isCommandError(reply)) return { kind: "refused", error: reply };
  if (!Array.isArray(reply)) return { kind: "pushed", entryId: String(reply) };
  const [kind, entryId] = reply as readonly Reply[];
  if (kind === "duplicate") return { kind: "duplicate" };
  return {
    kind: "pushed",
    ...(typeof entryId === "string" && entryId !== "" && { entryId }),
    ...(kind === "same" && { wasThere: true }),
  };
}
