// The service's own error texts, so that programs that read them get the same as in production.

const documentation = "https://upstash.com/docs/redis";
const troubleshooting = `${documentation}/troubleshooting`;

/** How the service ends an error: with the page that explains it. */
const see = (page: string): string => `See ${page} for details`;

export const unauthorizedText: string =
  "WRONGPASS invalid or missing auth token. " +
  `${see("https://docs.upstash.com/redis/troubleshooting/http_unauthorized")}.`;

export const notInRest = (name: string): string =>
  `ERR Command "${name}" is not allowed in REST or it has a special context path`;

export const notAvailable = (name: string): string =>
  `ERR Command is not available: '${name.slice(0, 64)}'. ${see(`${documentation}/overall/rediscompatibility`)}`;

export const noPermission = (name: string): string =>
  `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command or its subcommand`;

export const wrongRestTokenUser = (user: string): string => `ERR Wrong password or user "${user}" does not exist`;

export const requestsExceeded = (limit: number, usage: number): string =>
  `ERR max requests limit exceeded. Limit: ${limit}, Usage: ${usage}. ${see(`${troubleshooting}/max_requests_limit`)}`;

export const dailyRequestsExceeded = (limit: number, usage: number): string =>
  `ERR max daily request limit exceeded. Limit: ${limit}, Usage: ${usage}. ` +
  see(`${troubleshooting}/max_daily_request_limit`);

/** The error for a command, and for its reply. */
export const requestSizeExceeded = (limitBytes: number, actualBytes: number): string =>
  `ERR max request size exceeded. Limit: ${limitBytes} bytes, Actual: ${actualBytes} bytes. ` +
  see(`${troubleshooting}/max_request_size_exceeded`);

export const keySizeExceeded = (limitBytes: number, actualBytes: number): string =>
  `ERR max key size exceeded. Limit: ${limitBytes} bytes, Actual: ${actualBytes} bytes`;

export const recordSizeExceeded = "ERR max single record size exceeded";

/** The service names no limit; its clients send at most 1,000 commands together. */
export const tooManyCommands = (limit: number, actual: number): string =>
  `ERR upstash-local takes at most ${limit} commands in one request, got ${actual}: send them in parts ` +
  "(`limits.pipelineCommands`)";

/** The error for the commands that a pipeline did not run. */
export const repliesExceeded = (limitBytes: number): string =>
  `ERR max request size exceeded: not run, since the replies before it are over ${limitBytes} bytes ` +
  "(send the pipeline in parts, or raise `limits.pipelineReplyBytes`)";

export const notRunning = (kind: "scripts" | "functions"): string => `NOTBUSY No ${kind} in execution right now.`;

export const tooManyStreams = "ERR max concurrent connections exceeded";

export const tooMuchHeld =
  "ERR upstash-local holds as much as it may for other requests: try again later (`limits.heldBytes`)";

const capacityExceeded = "ERR DB capacity quota exceeded";

export const parseErrors = {
  command: { malformed: "ERR failed to parse command", empty: "ERR empty command" },
  pipeline: { malformed: "ERR failed to parse pipeline request", empty: "ERR empty pipeline request" },
  transaction: { malformed: "ERR failed to parse multi-exec request", empty: "ERR empty multi-exec request" },
} as const;

export const emptyPipelineCommand = "ERR empty pipeline command";

/** Replaces an error text of Redis by the service's own, where that differs. */
export function serviceText(engineText: string, name: string): string {
  if (/^ERR unknown command/i.test(engineText)) return notAvailable(name);
  if (/^OOM\b/.test(engineText)) return capacityExceeded;
  return engineText;
}
