/** What the names of keys may begin with. */
export const keyStart: RegExp = /^[^\p{Cc}\p{Surrogate}*?[\]{}\\]{1,512}$/u;
export const keyStartWords = "a text of 1 to 512 characters, without control and glob characters";
