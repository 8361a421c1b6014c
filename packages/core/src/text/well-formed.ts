/** ES2023's types lack this one of the platform. */
const { isWellFormed: ofPlatform } = "" as string & { isWellFormed(this: string): boolean };

/** Whether a text has no half of a surrogate pair: UTF-8 can't carry one, and puts U+FFFD in its place. */
export const isWellFormed: (text: string) => boolean = Function.prototype.call.bind(ofPlatform);
