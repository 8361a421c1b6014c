import { countWidth, digits, numberAt, timeWidth } from "./digits.ts";

/** Calls that were accepted at a time, by a key that was born at a time: by this process alone where that is 0. */
export interface Accept {
  readonly bornUs: number;
  readonly atUs: number;
  readonly cost: number;
}

/** As a word for a script. */
export function encodeAccepts(accepts: readonly Accept[]): string {
  return accepts
    .map(({ bornUs, atUs, cost }) => digits(bornUs, timeWidth) + digits(atUs, timeWidth) + digits(cost, countWidth))
    .join("");
}

const width = 2 * timeWidth + countWidth;

export function decodeAccepts(word: string): Accept[] {
  const accepts: Accept[] = [];
  for (let at = 0; at < word.length; at += width) {
    accepts.push({
      bornUs: numberAt(word, at, timeWidth),
      atUs: numberAt(word, at + timeWidth, timeWidth),
      cost: numberAt(word, at + 2 * timeWidth, countWidth),
    });
  }
  return accepts;
}

/** The same in Lua. */
export const acceptsLua: string = `
local function accepts_of(word)
  local accepts = {}
  for from = 1, #word, ${width} do
    accepts[#accepts + 1] = {
      born = sub(word, from, from + ${timeWidth - 1}),
      at = time_in(word, from + ${timeWidth}),
      cost = number_at(word, from + ${2 * timeWidth}, ${countWidth}),
    }
  end
  return accepts
end
`;
