import type { FaultRecord } from "../src/checking/records.ts";

/** A fault of the server, made by hand. */
export const faultAt = (startMs: number, endMs: number, rest: Partial<FaultRecord> = {}): FaultRecord => ({
  kind: "fault",
  name: "something",
  target: "server",
  startMs,
  endMs,
  ...rest,
});

/** The end of a process. */
export const killAt = (process: string, atMs: number): FaultRecord =>
  faultAt(atMs, atMs, { name: "kill process", target: "kill", process });
