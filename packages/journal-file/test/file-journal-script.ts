// A process that does what its arguments say, one after the other, and says how each went:
// `node script.mjs <path> <fsync> append:a rewrite:b append:c*1000 read`. `c*1000` is a record of a thousand c.
import { type FileJournal, fileJournal, isJournalError } from "@continuum-cache/journal-file";

const [, , path = "", fsync = "always", ...steps] = process.argv;
let journal = await opened();

for (const step of steps) {
  const [name = "", text = ""] = step.split(":");
  try {
    console.log(`${step}: ${(await perform(name, text)) ?? "ok"}`);
  } catch (error) {
    const reason = isJournalError(error) ? error.reason : "other";
    console.log(`${step}: ${reason} ${error instanceof Error ? error.message : error}`);
  }
}
console.log("end");

async function perform(name: string, text: string): Promise<string | undefined> {
  if (name === "append") await journal.append([record(text)]);
  if (name === "rewrite") await journal.rewrite([record(text)]);
  if (name === "close") await journal.close();
  if (name === "appendAndClose") return appendAndClose(text);
  if (name === "fill") return fill(text);
  if (name !== "read") return undefined;
  await journal.close();
  journal = await opened();
  return undefined;
}

/** Appends until it is refused. */
async function fill(text: string): Promise<string> {
  for (let count = 0; ; count++) {
    const error = await journal.append([record(text)]).then(
      () => undefined,
      (reason: Error) => reason,
    );
    if (error) return `after ${count > 0 ? "some" : "none"} ${error.message}`;
  }
}

/** Closes while an append is under way, and says how both ended. */
async function appendAndClose(text: string): Promise<string> {
  const outcomes = await Promise.allSettled([journal.append([record(text)]), journal.close()]);
  return outcomes.map((each) => (each.status === "rejected" ? each.reason.message : "ok")).join(" / ");
}

async function opened(): Promise<FileJournal> {
  const store = fileJournal({ path, fsync: fsync as "always" | "interval" | "never", fsyncInterval: "50ms" });
  const records = await store.read();
  console.log(`holds ${JSON.stringify(records.map((each) => summary(new TextDecoder().decode(each))))}`);
  return store;
}

function record(text: string): Uint8Array {
  const [letters = "", times = "1"] = text.split("*");
  return new TextEncoder().encode(letters.repeat(Number(times)));
}

function summary(text: string): string {
  return text.length > 20 ? `${text[0]}*${text.length}` : text;
}
