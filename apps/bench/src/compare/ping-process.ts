import { answerParent } from "./child.ts";
import { connectMiniResp } from "./references/mini-resp.ts";

/** The other client: sends one PING after the other from "start" on, and answers "stop" with the longest, in ms. */
let longestMs = 0;
let isRunning = false;

async function run(url: string): Promise<void> {
  const client = connectMiniResp(url);
  await client.command("PING");
  longestMs = 0;
  isRunning = true;
  void (async () => {
    while (isRunning) {
      const sentAt = performance.now();
      await client.command("PING");
      longestMs = Math.max(longestMs, performance.now() - sentAt);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    client.close();
  })();
}

answerParent(async (question: { readonly start: string } | "stop") => {
  if (question !== "stop") return run(question.start);
  isRunning = false;
  return longestMs;
});
