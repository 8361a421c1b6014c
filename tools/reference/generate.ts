// Writes the API reference into `.cache/reference` and says where: `npx --yes pnpm@12.21.0 reference`.
import { resolve } from "node:path";
import { writeApiReference } from "./api-reference.ts";

const { page, complaints } = await writeApiReference(resolve(import.meta.dirname, "../../.cache/reference"));
for (const each of complaints) console.error(each);
console.log(page);
process.exit(complaints.length === 0 ? 0 : 1);
