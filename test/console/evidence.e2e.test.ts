/** Mismatches and coverage in a browser, over a real record: by keys, by role, and with what a hostile backend sent. */
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { openAdmin, TOKENS } from '../admin/open-admin.ts';
import { reportWorld } from '../admin/report-world.ts';
import { openChromium } from '../fixtures/chromium.ts';
import { answer, comparedRead } from '../reports/reads.ts';
import { bundleFor, openPage } from './open-console.ts';

// A browser takes its time on a machine that has other things to do.
t.setTimeout(180_000);
const browser = await openChromium(t);
const consoleFolder = await bundleFor(t);
const world = await reportWorld(t);

async function open(t: Test, path: string, token = 'operator-token') {
  const { port } = await openAdmin(t, { tokens: TOKENS, reports: () => world.reader, consoleFolder });
  const opened = await openPage(t, browser, `http://127.0.0.1:${port}/#${path}`);
  await opened.page.getByLabel('Token').fill(token);
  await opened.page.keyboard.press('Enter');
  return opened;
}

/** The place of each row of the list. */
function places(page: Page): Promise<readonly string[]> {
  return page.locator('table tbody tr td:first-child a').allInnerTexts();
}

await t.test('a group is found by keys, its rule tried and saved, and somebody takes it', async (t) => {
  const { page, complaints } = await open(t, '/mismatches');
  await page.getByRole('link', { name: '$.price' }).waitFor();
  t.strictSame(await places(page), ['$.price'], 'noise is shown on demand');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: '$.price' }).waitFor();

  const marked = page.locator('.pair-answers tr.pair-group');
  await marked.waitFor();
  t.match(await marked.innerText(), /≠.*"price": 1\s+"price": 2/su);
  t.match(await page.locator('.latency-pair').innerText(), /legacy\s+5 ms.*new\s+5 ms/su);

  await page.getByRole('button', { name: 'Try tolerance $.price' }).click();
  await page.getByText('vanishes from').waitFor();
  await page.getByText('It silences nothing else.').waitFor();
  await page.getByRole('button', { name: 'Save these rules' }).click();
  await page.getByLabel('Reason').fill('new rounds up');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('version 1, saved at run time').waitFor();
  t.match((await world.reader.rules('orders'))?.rules, { tolerance: { '$.price': { absolute: 1 } } });

  await page.keyboard.press('a');
  await page.getByLabel('Note').fill('looking at it');
  await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
  await page.getByText('acknowledged since').waitFor();
  await page.keyboard.press('u');
  await page.getByRole('link', { name: '$.price' }).waitFor();
  t.same(complaints, []);
});

await t.test('filters and order live in the address', async (t) => {
  const { page } = await open(t, '/mismatches?judgement=noise');
  await page.getByRole('link', { name: '$.at' }).waitFor();
  t.strictSame(await places(page), ['$.at']);
  await page.getByRole('group', { name: 'Judged' }).getByRole('button', { name: 'unproven' }).click();
  await page.getByRole('button', { name: /Users/u }).click();
  await page.waitForURL(/judgement=unproven%2Cnoise&sort=users/u);
  await page.reload();
  await page.getByRole('link', { name: '$.at' }).waitFor();
  t.equal(await page.getByLabel('Order').inputValue(), 'users');
});

await t.test('a viewer reads all of it and can do none of it', async (t) => {
  const { page } = await open(t, '/mismatches?status=all', 'viewer-token');
  await page.getByRole('link', { name: '$.price' }).click();
  await page.getByText('tolerance $.price').first().waitFor();
  for (const name of ['Acknowledge', 'Assign', 'Ignore', 'Resolve', 'Verify', 'Try', 'Save these rules']) {
    t.equal(await page.getByRole('button', { name }).count(), 0, name);
  }
  await page.keyboard.press('i');
  t.equal(await page.getByRole('dialog').count(), 0, 'keys do nothing either');
});

await t.test('coverage says what was compared, what was skipped, and what never was', async (t) => {
  const { page, complaints } = await open(t, '/coverage');
  const row = page.getByRole('row', { name: /^orders staff/u });
  await row.waitFor();
  t.match(await row.innerText(), /80 reads.*breaker open 1/su);
  t.match(await page.locator('.names').first().innerText(), /x{120}/u, 'never compared');
  t.match(await page.locator('.names').last().innerText(), '/static/*');
  t.same(complaints, []);
});

const HOSTILE = '<script>window.owned = 1</script><img src=x onerror="window.owned = 1">\u202Etxt.exe\u0007';
const HUGE = 'x'.repeat(10 * 1024 * 1024);

await t.test('what a hostile backend sent is text: bounded, and nothing in it is hidden', async (t) => {
  const [left, right] = [answer({ title: 'a', [HOSTILE]: 1 }), answer({ title: HOSTILE, [HOSTILE]: 2 })];
  world.reports.compared(
    comparedRead(left, right, { request: { method: 'GET', target: `/${HOSTILE}`, headers: [] } }),
  );
  await world.reports.flush();
  const { page, complaints } = await open(t, '/mismatches?judgement=all&status=all');
  await page.getByRole('link', { name: '$.title' }).click();
  await page.locator('.pair-answers tr.pair-group').waitFor();
  t.match(await page.locator('.pair-answers tr.pair-group').innerText(), '<script>window.owned = 1</script>');
  t.match(await page.locator('.unseen-mark').first().innerText(), /^U\+(?:202E|0007)$/u);
  const shown = await page.locator('main').innerText();
  t.strictSame(
    ['\u202E', '\u0007'].filter((character) => shown.includes(character)),
    [],
  );
  t.equal(await page.locator('main script, main img').count(), 0);

  // The record bounds what it keeps; the page does not rely on it.
  await page.route('**/api/v1/mismatches/*', async (route) => {
    const response = await route.fetch();
    const document = await response.json();
    const [sample] = document.samples;
    sample.answers.secondary.body = { kind: 'text', text: `{"title":${JSON.stringify(HUGE)}}` };
    sample.differences[0].right = { type: 'string', value: HUGE };
    sample.request.target = `/${HUGE}`;
    document.group.note = HUGE;
    await route.fulfill({ response, json: document });
  });
  await page.reload();
  await page.getByText('more characters').first().waitFor();
  t.ok((await page.locator('body').innerHTML()).length < 200_000, 'a small part of it is in the page');
  t.equal(await page.evaluate<unknown>('window.owned'), undefined);
  t.same(complaints, []);
});
