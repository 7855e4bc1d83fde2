/** The examples of `docs/guard-operation.md` are right. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { parseConfig } from '../../src/config/parse-config.ts';
import { signatureOf } from '../../src/guard/notice-document.ts';

// Tests run in the root of the repository.
const text = await readFile('docs/guard-operation.md', 'utf8');

function blocksOf(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gmu'))].map(
    ([, block = '']) => block,
  );
}

void t.test('each piece of configuration is valid, without a warning', async (t) => {
  const blocks = blocksOf('yaml');
  t.ok(blocks.length >= 2);
  for (const block of blocks) {
    const config = parseConfig(
      `${block}\nbackends: { legacy: { url: "http://a" }, new: { url: "http://b" } }`,
    );
    t.same(config.warnings, [], block);
  }
});

void t.test('the check of a signature accepts what is sent, and nothing else', async (t) => {
  const [source = ''] = blocksOf('js');
  const folder = await mkdtemp(join(tmpdir(), 'turnout-docs-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'check.mjs');
  await writeFile(file, source);
  const { isFromTurnout }: { isFromTurnout: (...args: unknown[]) => boolean } = await import(
    pathToFileURL(file).href
  );
  const [body, secret, seconds] = ['{"event":"trip","cohort":"é"}', 's'.repeat(16), 1_790_000_000];
  const signature = signatureOf(body, secret, seconds);
  const nowMs = seconds * 1_000 + 5_000;
  t.ok(isFromTurnout(signature, body, secret, nowMs));
  t.ok(isFromTurnout(signature, Buffer.from(body), secret, nowMs));
  t.notOk(isFromTurnout(signature, `${body} `, secret, nowMs), 'another body');
  t.notOk(isFromTurnout(signature, body, 'x'.repeat(16), nowMs), 'another secret');
  t.notOk(isFromTurnout(signature, body, secret, nowMs + 600_000), 'long past');
  t.notOk(isFromTurnout(signature.replace('t=1', 't=2'), body, secret, nowMs), 'another time');
  for (const wrong of ['', undefined, 't=1', 'v1=00', `${signature},v2=`]) {
    t.notOk(isFromTurnout(wrong, body, secret, nowMs), String(wrong));
  }
});
