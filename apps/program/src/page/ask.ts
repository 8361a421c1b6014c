import type { ErrorAnswer } from "../api.ts";

/** Sends a request to the service. @throws Error with the service's own words when it refuses or is away. */
export async function ask<Answer>(path: string, options?: RequestInit): Promise<Answer> {
  const response = await fetch(path, options).catch(() => {
    throw new Error("The server gives no answer: is it still running?");
  });
  if (response.ok) return response.json();
  const { error }: ErrorAnswer = await response.json();
  throw new Error(error);
}

/** Sends a request with a JSON body. */
export function askWith<Answer>(method: "POST" | "PUT", path: string, body: object): Promise<Answer> {
  return ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
