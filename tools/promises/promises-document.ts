import { promises } from "./promises.ts";
import { type TestTitle, testTitles } from "./test-titles.ts";

/** A promise and the tests that prove it. */
export interface ProvenPromise {
  readonly promise: string;
  readonly saidIn: readonly string[];
  readonly tests: readonly TestTitle[];
  /** Proofs that select no test: their files or titles have changed. */
  readonly unmatched: readonly string[];
}

/** Every promise with its tests, as they are in the sources now. */
export function provenPromises(root: string): ProvenPromise[] {
  const titles = testTitles(root);
  return promises.map(({ promise, saidIn, proofs }) => {
    const selected = proofs.map((proof) => {
      const [file, title] = proof instanceof RegExp ? [proof, /./] : proof;
      return { proof: String(proof), tests: titles.filter((each) => file.test(each.file) && title.test(each.title)) };
    });
    return {
      promise,
      saidIn,
      tests: titles.filter((each) => selected.some(({ tests }) => tests.includes(each))),
      unmatched: selected.filter(({ tests }) => tests.length === 0).map(({ proof }) => proof),
    };
  });
}

/** The text of docs/promises.md. */
export function promisesDocument(proven: readonly ProvenPromise[]): string {
  const head = `# Promises and their tests

What users are promised, and the tests that prove it. \`npx --yes pnpm@12.21.0 promises\` writes this file from the titles
of the tests; the list of promises is in [promises.ts](../tools/promises/promises.ts). \`%s\`, \`$name\` and … stand for
what each run of a test puts there. \`*.long.test.ts\` runs with \`test --all\`.
`;
  return [head, ...proven.map(sectionOf)].join("\n");
}

function sectionOf({ promise, saidIn, tests }: ProvenPromise): string {
  const files = [...new Set(tests.map(({ file }) => file))];
  const links = saidIn.map((file) => `[${file}](../${file})`).join(", ");
  const lists = files.map((file) => {
    const titles = tests.filter((test) => test.file === file).map(({ title }) => `- ${escaped(title)}`);
    return `[${file}](../${file})\n\n${titles.join("\n")}\n`;
  });
  return `## ${promise}\n\nSaid in ${links}.\n\n${lists.join("\n")}`;
}

/** Titles are no Markdown. */
const escaped = (title: string): string => title.replaceAll(/[\\*_`<>[\]#|~]/g, "\\$&");
