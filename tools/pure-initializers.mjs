import { parseSync, visitorKeys } from "oxc-parser";

/** What a bundler keeps although nothing uses the result: it may do something besides. */
const effects = new Set([
  "CallExpression",
  "MemberExpression",
  "NewExpression",
  "SpreadElement",
  "TaggedTemplateExpression",
]);

/**
 * Marks what constants at the top of a module are made of as free of side effects, as `sideEffects: false` in
 * package.json says of whole files: so a bundler still leaves out what is not used where many files have become one.
 */
export function withPureInitializers(path, source) {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new SyntaxError(`${path}: ${errors[0].message}`);
  const initializers = program.body
    .map((statement) => statement.declaration ?? statement)
    .filter(({ type }) => type === "VariableDeclaration")
    .flatMap(({ declarations }) => declarations)
    .filter(({ id, init }) => id.type === "Identifier" && init && hasEffects(init))
    .map(({ init }) => init);
  // From the last to the first, so that positions before it stay right.
  return initializers.reduceRight(
    (text, { start, end }) =>
      `${text.slice(0, start)}/* @__PURE__ */ (() => (${text.slice(start, end)}))()${text.slice(end)}`,
    source,
  );
}

/** Looks into everything but functions: they do nothing until they are called. */
function hasEffects(node) {
  if (effects.has(node.type)) return true;
  if (/Function/.test(node.type)) return false;
  return (visitorKeys[node.type] ?? [])
    .flatMap((key) => node[key] ?? [])
    .some((child) => typeof child === "object" && hasEffects(child));
}
