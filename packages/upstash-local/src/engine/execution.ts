import { type Command, CommandError, isCommandError, type Reply, type Transport } from "@continuum-cache/core";
import { RequestError } from "../errors/request-error.ts";
import { type Limits, weightOf } from "../limits.ts";
import type { ListedCommand } from "../protocol/json-command.ts";
import { emptyPipelineCommand, repliesExceeded, serviceText } from "../protocol/service-texts.ts";
import type { SyncToken } from "../protocol/sync-token.ts";
import type { Access } from "../request/authorization.ts";
import type { Holder } from "../request/held-bytes.ts";
import { refusalOf } from "./command-policy.ts";
import { engineFailure } from "./engine-failure.ts";
import type { LocalAnswers } from "./local-answers.ts";
import type { Translation } from "./translation.ts";

/** Runs commands as the service does. */
export interface Execution {
  /** One reply for each command, refusals among them. */
  list(commands: readonly ListedCommand[], caller: Caller): Promise<Reply[]>;
  /** @throws RequestError 400 when the transaction was discarded as a whole. */
  transaction(commands: readonly ListedCommand[], caller: Caller): Promise<Reply[]>;
  /** @throws RequestError 413 when the command is over the size limit. */
  single(command: Command, caller: Caller): Promise<Reply>;
}

/** The request that commands run for. */
export interface Caller {
  readonly access: Access;
  readonly signal: AbortSignal;
  /** Counts the memory of its replies. */
  readonly holder: Holder;
}

export interface ExecutionParts {
  readonly engine: Transport;
  readonly timeoutMs: number;
  readonly limits: Limits;
  readonly localAnswers: LocalAnswers;
  /** Absent where the engine speaks as the service does. */
  readonly translation: Translation | undefined;
  readonly syncToken: SyncToken;
}

/** This many commands of a pipeline go to the engine at once: the size of replies is known only when they arrive. */
const sliceLength = 16;

/** The plan for one command: an answer, or a command for the engine. */
type Step = { readonly answer: Reply } | { readonly original: Command; readonly command: Command };

export function createExecution(parts: ExecutionParts): Execution {
  const { engine, timeoutMs, limits, localAnswers, translation, syncToken } = parts;

  const refuse = (command: Command, access: Access): string | undefined =>
    refusalOf(command, access) ?? limits.oversizedRequest(command) ?? limits.oversizedRecord(command);

  const plan = (listed: ListedCommand, access: Access): Step => {
    if (!listed) return { answer: new CommandError(emptyPipelineCommand) };
    const [name, ...args] = listed;
    const command: Command = [name.toUpperCase(), ...args];
    const refusal = refuse(command, access);
    if (refusal !== undefined) return { answer: new CommandError(refusal) };
    const answer = localAnswers.answer(command);
    if (answer !== undefined) return { answer };
    const own = localAnswers.rewrite(command);
    return { original: command, command: translation?.rewrite(own) ?? own };
  };

  const send = async (steps: readonly Step[], atomic: boolean, { signal, holder }: Caller): Promise<Reply[]> => {
    const sent = steps.flatMap((step) => ("command" in step ? [step] : []));
    const commands = sent.map(({ command }) => command);
    const replies =
      commands.length > 0 ? await engine.send(commands, { atomic, signal, timeoutMs }).catch(engineFailure) : [];
    syncToken.advance();
    holder.take(replies.reduce((sum: number, reply) => sum + weightOf(reply), 0));
    let next = 0;
    return steps.map((step) => {
      if ("answer" in step) return step.answer;
      const reply = replies[next++] ?? null;
      if (isCommandError(reply)) return new CommandError(serviceText(reply.message, step.command[0]));
      const oversized = limits.oversizedReply(reply);
      return oversized === undefined
        ? (translation?.restore(step.original, reply) ?? reply)
        : new CommandError(oversized);
    });
  };

  /** Charges a command to the quota. Refused commands cost nothing. */
  const charged = (step: Step): Step => {
    const refusal = "command" in step ? limits.charge([step.original]) : undefined;
    return refusal === undefined ? step : { answer: new CommandError(refusal) };
  };

  const list: Execution["list"] = async (commands, caller) => {
    const replies: Reply[] = [];
    let bytes = 0;
    while (replies.length < commands.length && bytes <= limits.pipelineReplyBytes) {
      const slice = commands.slice(replies.length, replies.length + sliceLength);
      const steps = slice.map((command) => charged(plan(command, caller.access)));
      for (const reply of await send(steps, false, caller)) {
        bytes += weightOf(reply);
        replies.push(reply);
      }
    }
    const refused = commands.length - replies.length;
    if (refused === 0) return replies;
    return replies.concat(new Array<Reply>(refused).fill(new CommandError(repliesExceeded(limits.pipelineReplyBytes))));
  };

  return {
    list,
    async single(command, caller) {
      const oversized = limits.oversizedRequest(command);
      if (oversized !== undefined) throw new RequestError(413, oversized);
      const [reply = null] = await list([command], caller);
      return reply;
    },
    async transaction(commands, caller) {
      const steps = commands.map((command) => plan(command, caller.access));
      const refused = steps.find((step) => "answer" in step && isCommandError(step.answer));
      if (refused && "answer" in refused) throw discarded(refused.answer);
      const overQuota = limits.charge(steps.flatMap((step) => ("command" in step ? [step.original] : [])));
      if (overQuota !== undefined) throw new RequestError(400, overQuota);
      const replies = await send(steps, true, caller);
      if (wasDiscarded(replies)) throw discarded(replies.find((reply) => !isAbort(reply)) ?? replies[0] ?? null);
      return replies;
    },
  };
}

const discarded = (reason: Reply): RequestError =>
  new RequestError(400, isCommandError(reason) ? reason.message : "EXECABORT Transaction discarded");

const isAbort = (reply: Reply): boolean => isCommandError(reply) && reply.code === "EXECABORT";

/** Errors that Redis reports before it runs any command of a transaction. */
const foundEarly =
  /^(ERR Command is not available|ERR wrong number of arguments|ERR unknown|ERR DB capacity|NOPERM|ERR .*not allowed (from|inside) )/;

/** Whether nothing ran. A failure at run time, by contrast, is one error among the replies. */
function wasDiscarded(replies: readonly Reply[]): boolean {
  const errors = replies.filter(isCommandError);
  if (errors.length < replies.length) return false;
  return errors.some(isAbort) || errors.every(({ message }) => foundEarly.test(message));
}
