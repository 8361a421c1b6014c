import { countWidth, digits, numberAt, timeWidth } from "./digits.ts";

/** Calls that were admitted at a time, by a key that was created at `bornUs`, or by this process alone (0). */
export interface Admission {
  readonly bornUs: number;
  readonly atUs: number;
  readonly cost: number;
}

/** Encodes admissions as an argument of a script. */
export function encodeAdmissions(admissions: readonly Admission[]): string {
  return admissions
    .map(({ bornUs, atUs, cost }) => digits(bornUs, timeWidth) + digits(atUs, timeWidth) + digits(cost, countWidth))
    .join("");
}

const width = 2 * timeWidth + countWidth;

export function decodeAdmissions(word: string): Admission[] {
  const admissions: Admission[] = [];
  for (let at = 0; at < word.length; at += width) {
    admissions.push({
      bornUs: numberAt(word, at, timeWidth),
      atUs: numberAt(word, at + timeWidth, timeWidth),
      cost: numberAt(word, at + 2 * timeWidth, countWidth),
    });
  }
  return admissions;
}

/** The same in Lua. */
export const admissionsLua: string = `
local function admissions_of(word)
  local admissions = {}
  for from = 1, #word, ${width} do
    admissions[#admissions + 1] = {
      born = sub(word, from, from + ${timeWidth - 1}),
      at = time_in(word, from + ${timeWidth}),
      cost = number_at(word, from + ${2 * timeWidth}, ${countWidth}),
    }
  end
  return admissions
end
`;
