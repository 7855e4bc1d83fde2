/** The odd ways in which the legacy shop writes dates and flags. All times are UTC; nobody remembers why not local. */

/** @returns such as `21/11/26 08:15`: no seconds, a year of two digits. */
export function legacyDateTime(date: Date): string {
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${iso.slice(5, 7)}/${iso.slice(2, 4)} ${iso.slice(11, 16)}`;
}

/** @returns such as `20261121`. */
export function legacyDay(date: Date): string {
  return date.toISOString().slice(0, 10).replaceAll('-', '');
}

/** What stands where the birth date is not known. */
export const NO_DAY = '00000000';

export function legacyFlag(flag: boolean): 'Y' | 'N' {
  return flag ? 'Y' : 'N';
}
