/** The name under which both shops know a user: `u-` and the user's number. */
const USER_KEY = /^u-([1-9]\d{0,5})$/;

export function userKey(number: number): string {
  return `u-${number}`;
}

/** @returns the number, 1 to 999,999, or `undefined` when the text is not a user key. */
export function userNumber(key: string): number | undefined {
  const digits = USER_KEY.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
