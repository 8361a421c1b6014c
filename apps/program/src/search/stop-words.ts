/** Words that say too little for a search. */
export const stopWords: ReadonlySet<string> = new Set(
  (
    "a an and are as at be been being but by can could did do does for from had has have he her his how i if in " +
    "into is it its may me might my no nor not of on one's or our she should so some such than that the their " +
    "them then there these they this those to was we were what when where which who whom whose why will with " +
    "would you your"
  ).split(" "),
);
