/** Reads an option of the command line. @throws TypeError when it is no whole number above 0. */
export function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new TypeError(`Expected --${name} to be a whole number above 0, got ${JSON.stringify(text)}`);
}
