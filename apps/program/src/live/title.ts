/** The name of a memory in a line of text. */
export const titleOf = ({ lemmas }: { readonly lemmas: readonly string[] }): string => lemmas.slice(0, 3).join(", ");
