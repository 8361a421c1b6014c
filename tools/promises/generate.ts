// Writes docs/promises.md.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisesDocument, provenPromises } from "./promises-document.ts";

const root = resolve(import.meta.dirname, "../..");
writeFileSync(join(root, "docs/promises.md"), promisesDocument(provenPromises(root)));
