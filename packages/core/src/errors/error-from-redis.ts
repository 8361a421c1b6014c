import { CommandError } from "./command-error.ts";
import { TransportError, type TransportErrorKind } from "./transport-error.ts";

interface Rule {
  readonly pattern: RegExp;
  readonly kind: TransportErrorKind;
  readonly advice: string;
}

/** How a refusal begins when EXEC or a script (before Redis 7) hands it on. */
const handedOn = "EXECABORT Transaction discarded because of: |ERR Error running script [^\\n]*?: -?";

/**
 * Answers that are about the connection or the plan and not about the command: the same command would have
 * succeeded elsewhere or later. Everything else is a `CommandError`.
 */
const rules: readonly Rule[] = [
  {
    pattern: /^(WRONGPASS|NOAUTH)\b|invalid or missing auth token|protocol error: unauthenticated/i,
    kind: "unauthorized",
    advice:
      "check UPSTASH_REDIS_REST_TOKEN or the password in UPSTASH_REDIS_URL (no blank or newline around it), and " +
      "the IP allowlist",
  },
  {
    pattern: /max (daily )?requests? limit exceeded|database has been suspended/i,
    kind: "quota",
    advice: "the plan's command limit is used up: upgrade the plan or wait for the next period",
  },
  {
    pattern: /max request size exceeded/i,
    kind: "too-large",
    advice: "split the request, or lower maxValueBytes: the plan limits the size of a command and of its answer",
  },
  {
    pattern: /max concurrent connections exceeded|max number of clients reached/i,
    kind: "unreachable",
    advice: "too many connections: lower poolSize or use REST",
  },
  {
    pattern: new RegExp(
      `^(${handedOn})?(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY)\\b|caller gone|server is stopping`,
      "i",
    ),
    kind: "unreachable",
    advice: "the server is not ready; it will be soon",
  },
];

/**
 * Sorts an error text of Redis or Upstash, once and for every transport, into "Redis said no" (a `CommandError`, to
 * stand among the replies) and "no answer came" (a `TransportError`, to reject the trip).
 */
export function errorFromRedis(text: string, transport: string): CommandError | TransportError {
  const rule = rules.find(({ pattern }) => pattern.test(text));
  if (!rule) return new CommandError(text);
  // The server refused these before running anything.
  return new TransportError(rule.kind, `${text} (${rule.advice})`, { transport, delivery: "none" });
}
