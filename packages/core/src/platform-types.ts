/// <reference lib="esnext.disposable" preserve="true" />

/*
 * Types of the platform that declarations of these packages name. Programs that have them, by `lib: ["DOM"]`,
 * @types/node or
 * @cloudflare/workers-types, keep theirs: the empty interfaces merge with them. In others the declarations are no
 *   errors.
 */
declare global {
  interface AbortSignal {}
  interface Headers {}
  interface RequestInit {}
  interface Response {}
  interface URL {}
}

export {};
