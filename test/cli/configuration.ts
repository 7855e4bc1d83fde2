/** Configuration files for the commands, in a folder that ends with the test. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';

export const CONFIGURATION = `
listen: { port: 0 }
admin: { listen: { port: 0 } }
backends:
  legacy: { url: "http://127.0.0.1:9001" }
  new: { url: "http://127.0.0.1:9002" }
state: { kind: embedded }
record: { kind: embedded, dir: ./data }
identity:
  - { from: header, name: x-user-id, trusted: true }
anonymous: legacy
cohorts:
  - { name: staff, rule: { attribute: header.x-plan, in: [staff] }, stage: live }
  - { name: half, rule: { attribute: header.x-plan, in: [half] }, stage: live, ramp: 50% }
  - { name: everyone, default: true, stage: off }
routes:
  - { match: "/static/*", backend: legacy }
  - { match: "/private/*", requireUser: true }
  - { match: "/api/search", methods: [POST], class: read }
`;

export async function configurationFile(t: Test, text: string = CONFIGURATION): Promise<string> {
  const file = join(t.testdir({}), 'turnout.yaml');
  await writeFile(file, text);
  return file;
}
