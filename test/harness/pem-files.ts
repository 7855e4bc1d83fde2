import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Credentials } from './certificates.ts';
import type { Teardown } from './teardown.ts';

/** Writes one PEM text to a file of its own, which is gone after the test, and returns its path. */
export function pemFile(t: Teardown, pem: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'turnout-pem-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'file.pem');
  writeFileSync(file, pem, { mode: 0o600 });
  return file;
}

/** Certificate and key as the files that the configuration names. */
export function credentialFiles(
  t: Teardown,
  { cert, key }: Credentials,
): { certFile: string; keyFile: string } {
  return { certFile: pemFile(t, cert), keyFile: pemFile(t, key) };
}
