import type { Column, Suite } from "./suite.ts";

export const perSecond: Suite["value"] = {
  title: "per second",
  digits: 0,
  isMoreBetter: true,
  of: ({ operations, wallMs }) => (operations / wallMs) * 1_000,
};

export const milliseconds: Suite["value"] = {
  title: "ms",
  digits: 1,
  isMoreBetter: false,
  of: ({ operations, wallMs }) => wallMs / operations,
};

export const gzipKilobytes: Suite["value"] = {
  title: "gzip kB",
  digits: 1,
  isMoreBetter: false,
  of: ({ gzipBytes = Number.NaN }) => gzipBytes / 1_000,
};

export const cpu: Column = {
  title: "CPU µs per operation",
  digits: 2,
  of: ({ cpuUs, operations }) => cpuUs / operations,
};

/** Where an operation takes long. */
export const cpuMs: Column = {
  title: "CPU ms",
  digits: 1,
  of: ({ cpuUs, operations }) => cpuUs / operations / 1_000,
};

export const commands: Column = {
  title: "commands per 1,000",
  digits: 0,
  of: ({ commands = Number.NaN, operations }) => (commands / operations) * 1_000,
};

/** Where an operation is many commands. */
export const commandsEach: Column = {
  title: "commands",
  digits: 0,
  of: ({ commands = Number.NaN, operations }) => commands / operations,
};

export const script: Column = {
  title: "script µs per operation",
  digits: 1,
  of: ({ scriptUs = Number.NaN, operations }) => scriptUs / operations,
};

export const longestPing: Column = {
  title: "longest PING of another client, ms",
  digits: 1,
  of: ({ longestPingMs = Number.NaN }) => longestPingMs,
};

export const longestBlock: Column = {
  title: "event loop blocked for at most, ms",
  digits: 1,
  of: ({ longestBlockMs = Number.NaN }) => longestBlockMs,
};
