/** The service's own words, so that whoever sorts errors by their text meets here what production answers. */
const troubleshooting = "https://upstash.com/docs/redis/troubleshooting";

export const unauthorizedText =
  "WRONGPASS invalid or missing auth token. See https://docs.upstash.com/redis/troubleshooting/http_unauthorized for details.";

export const notInRest = (name: string): string =>
  `ERR Command "${name}" is not allowed in REST or it has a special context path`;

export const notAvailable = (name: string): string =>
  `ERR Command is not available: '${name.slice(0, 64)}'. See https://upstash.com/docs/redis/overall/rediscompatibility for details`;

export const noPermission = (name: string): string =>
  `NOPERM this user has no permissions to run the '${name.toLowerCase()}' command or its subcommand`;

export const wrongRestTokenUser = (user: string): string => `ERR Wrong password or user "${user}" does not exist`;

export const requestsExceeded = (limit: number, usage: number): string =>
  `ERR max requests limit exceeded. Limit: ${limit}, Usage: ${usage}. See ${troubleshooting}/max_requests_limit for details`;

export const dailyRequestsExceeded = (limit: number, usage: number): string =>
  `ERR max daily request limit exceeded. Limit: ${limit}, Usage: ${usage}. See ${troubleshooting}/max_daily_request_limit for details`;

/** Said of a command and of its reply alike. */
export const requestSizeExceeded = (limitBytes: number, actualBytes: number): string =>
  `ERR max request size exceeded. Limit: ${limitBytes} bytes, Actual: ${actualBytes} bytes. See ${troubleshooting}/max_request_size_exceeded for details`;

export const keySizeExceeded = (limitBytes: number, actualBytes: number): string =>
  `ERR max key size exceeded. Limit: ${limitBytes} bytes, Actual: ${actualBytes} bytes`;

export const recordSizeExceeded = "ERR max single record size exceeded";

/** The service names no limit; its clients send at most 1,000 commands together. */
export const tooManyCommands = (limit: number, actual: number): string =>
  `ERR upstash-local takes at most ${limit} commands in one request, got ${actual}: send them in parts (\`limits.pipelineCommands\`)`;

/** Of what a pipeline did not run any more. */
export const repliesExceeded = (limitBytes: number): string =>
  `ERR max request size exceeded: not run, since the replies before it are over ${limitBytes} bytes (send the pipeline in parts, or raise \`limits.pipelineReplyBytes\`)`;

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

/** What the engine says in Redis' words, in the service's. */
export function serviceText(engineText: string, name: string): string {
  if (/^ERR unknown command/i.test(engineText)) return notAvailable(name);
  if (/^OOM\b/.test(engineText)) return capacityExceeded;
  return engineText;
}
