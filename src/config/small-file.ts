/**
 * Files that a configuration names, and the configuration itself: bounded, and read with errors in words.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Why a file cannot be used, in words; `cause` has the system's error. */
export class FileError extends Error {}

/**
 * Reads a whole file.
 * @param bytesMax a larger file is refused
 * @throws FileError if it is missing, unreadable, too large or not a regular file
 */
export function readSmallFile(file: string, bytesMax: number): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new FileError('it is a folder');
    // A pipe has no size: reading one byte more than allowed shows whether it is too large.
    const buffer = Buffer.alloc(bytesMax + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    if (length > bytesMax) throw new FileError(`it is larger than ${bytesMax} bytes`);
    return buffer.subarray(0, length);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(reason(error), { cause: error });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** @throws FileError also if the file is not UTF-8 */
export function readSmallText(file: string, bytesMax: number): string {
  const content = readSmallFile(file, bytesMax);
  try {
    return UTF8.decode(content);
  } catch (error) {
    throw new FileError('it is not UTF-8', { cause: error });
  }
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'it does not exist';
  if (code === 'EACCES' || code === 'EPERM') return 'it may not be read by this process';
  if (code === 'ERR_INVALID_ARG_VALUE') return 'this is not the path of a file';
  return `it cannot be read (${typeof code === 'string' ? code : 'unknown error'})`;
}
