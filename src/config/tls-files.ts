/**
 * Certificates and keys named in the configuration, proved usable before anything is started with them.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Place } from './place.ts';
import type { Report } from './report.ts';
import { FileError, readSmallFile } from './small-file.ts';

const PEM_BYTES_MAX = 1_048_576;

export interface TlsFiles {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** Reports files that cannot be read, are no PEM, or do not belong together. */
export function checkTlsFiles(files: TlsFiles, place: Place, report: Report): void {
  const ca = readPem(files.caFile, [...place, 'caFile'], report);
  const cert = readPem(files.certFile, [...place, 'certFile'], report);
  const key = readPem(files.keyFile, [...place, 'keyFile'], report);
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    report.problem(place, '`certFile` and `keyFile` are needed together');
    return;
  }
  const caPlace = [...place, 'caFile'];
  // A secure context takes any bytes as `ca` and trusts nobody then.
  if (ca !== undefined)
    attempt(() => new X509Certificate(ca), caPlace, 'this is not a PEM certificate', report);
  if (cert === undefined || key === undefined) return;
  const certPlace = [...place, 'certFile'];
  attempt(
    () => createSecureContext({ cert, key }),
    certPlace,
    'this certificate and its key cannot be used',
    report,
  );
}

function readPem(file: string | undefined, place: Place, report: Report): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readSmallFile(file, PEM_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    report.problem(place, `this file cannot be used: ${error.message}`);
    return undefined;
  }
}

function attempt(use: () => unknown, place: Place, message: string, report: Report): void {
  try {
    use();
  } catch (error) {
    const why = error instanceof Error && 'reason' in error ? String(error.reason) : 'no valid PEM';
    report.problem(place, `${message} (${why})`);
  }
}
