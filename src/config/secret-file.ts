/**
 * A secret kept in a file of its own.
 */
import type { Place } from './place.ts';
import type { Report } from './report.ts';
import { FileError, readSmallText } from './small-file.ts';

const SECRET_BYTES_MAX = 65_536;

/** @returns the file's text without the line break at its end; `undefined` if it has a problem, reported */
export function readSecretFile(file: string, place: Place, report: Report): string | undefined {
  try {
    return readSmallText(file, SECRET_BYTES_MAX).replace(/\r?\n$/, '');
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    report.problem(place, `this file cannot be used: ${error.message}`);
    return undefined;
  }
}
