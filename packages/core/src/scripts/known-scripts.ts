import type { Script } from "./script.ts";

const known = new Map<string, Script>();

/** Makes a script known to backends without Lua, which find its TypeScript face by its text. @returns the script. */
export function knownScript(script: Script): Script {
  known.set(script.lua, script);
  return script;
}

/** The script with exactly this Lua text, if this process has defined one. */
export function scriptByLua(lua: string): Script | undefined {
  return known.get(lua);
}
