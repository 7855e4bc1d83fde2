/** Every page by axe: wide in both themes, narrow in one. Nothing of it is serious or worse. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { openChromium } from '../fixtures/chromium.ts';
import { within } from '../harness/within.ts';
import { openPage } from './open-console.ts';
import { OPERATOR, type RealGateway, realGateway, seriousFindings } from './real-gateway.ts';

// An embedded Postgres and a browser both take their time on a machine that has other things to do.
t.setTimeout(300_000);
const STEP_MS = 60_000;

const browser = await openChromium(t);
const gateway = await realGateway(t);

interface Visit {
  readonly path: string;
  /** Stands on the page once it has loaded what it shows. */
  readonly shows: string | RegExp;
}

/** A group, a change and a user, so that no page is empty. */
async function visits(real: RealGateway): Promise<readonly Visit[]> {
  await real.pin('u-2', 'tries the new shop');
  let group: Record<string, unknown> | undefined;
  while (group === undefined) {
    await real.read('u-1');
    [group] = await real.items('/api/v1/mismatches');
  }
  const [change] = await real.items('/api/v1/changes');
  return [
    { path: '', shows: 'staff' },
    { path: 'cohorts/staff', shows: /compared reads? matched/u },
    { path: 'mismatches', shows: '$.price' },
    { path: `mismatches/${String(group['id'])}`, shows: /"price": ?12/u },
    { path: 'coverage', shows: '/api/*' },
    { path: 'users', shows: 'Look a user up' },
    { path: 'users/u-2', shows: 'GET / goes to new' },
    { path: 'explain', shows: 'Paste a request' },
    { path: 'audit', shows: 'tries the new shop' },
    { path: `audit/${String(change?.['id'])}`, shows: 'What is known' },
    { path: 'gateways', shows: 'Stores' },
    { path: 'no/such/page', shows: 'There is no such page' },
  ];
}

const pages = await within(visits(gateway), 'a group of differences', STEP_MS);

async function visit(page: Page, { path, shows }: Visit): Promise<void> {
  await page.goto(`${gateway.adminUrl}/#/${path}`);
  await page.locator('main').getByText(shows).first().waitFor();
  await page.getByText(/^(?:Loading|Asking)/u).waitFor({ state: 'detached' });
}

for (const { width, colorScheme } of [
  { width: 1280, colorScheme: 'light' },
  { width: 1280, colorScheme: 'dark' },
  { width: 390, colorScheme: 'light' },
] as const) {
  await t.test(`axe has nothing serious to say at ${width} pixels, ${colorScheme}`, async (t) => {
    const { page, complaints } = await openPage(t, browser, 'about:blank', width);
    page.setDefaultTimeout(STEP_MS);
    await page.emulateMedia({ colorScheme });
    await page.goto(`${gateway.adminUrl}/`);
    await page.getByLabel('Token').waitFor();
    t.equal(await page.evaluate<string>('document.documentElement.dataset.theme'), colorScheme);
    t.same(await seriousFindings(page), [], 'the login');
    await page.getByLabel('Token').fill(OPERATOR);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    for (const each of pages) {
      await visit(page, each);
      t.same(await seriousFindings(page), [], `/${each.path}`);
      t.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), width, 'not sideways');
    }
    t.same(complaints, []);
  });
}
