/** What people do at the console, against a gateway with embedded stores and real traffic. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { openChromium } from '../fixtures/chromium.ts';
import { within } from '../harness/within.ts';
import { openPage } from './open-console.ts';
import { OPERATOR, realGateway, seriousFindings, VIEWER } from './real-gateway.ts';

// An embedded Postgres and a browser both take their time on a machine that has other things to do.
t.setTimeout(300_000);
const STEP_MS = 60_000;

const browser = await openChromium(t);
const gateway = await realGateway(t);

async function logIn(page: Page, token: string): Promise<void> {
  page.setDefaultTimeout(STEP_MS);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1 }).waitFor();
}

async function goTo(page: Page, link: string, heading: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: link, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

async function lookUp(page: Page, user: string): Promise<void> {
  await page.getByLabel('User', { exact: true }).fill(user);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: `User ${user}` }).waitFor();
  await page.getByRole('heading', { level: 2, name: 'Record' }).waitFor();
}

/** Staff reads until the record has heard of a difference: comparisons reach it in batches. */
async function differenceFromTraffic(): Promise<Record<string, unknown>> {
  for (;;) {
    await gateway.read('u-1');
    const [group] = await gateway.items('/api/v1/mismatches');
    if (group !== undefined) return group;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

await t.test(
  'a viewer looks a user up, has a request explained, and finds nothing to act with',
  async (t) => {
    t.equal(await gateway.read('u-1'), 200);
    const { page, complaints } = await openPage(t, browser, `${gateway.adminUrl}/`);
    await logIn(page, VIEWER);
    await page.getByRole('link', { name: 'staff' }).first().waitFor();

    await goTo(page, 'Users', 'Users');
    await lookUp(page, 'u-1');
    await page.getByText('nobody has placed this user yet').waitFor();
    const reasons = page.getByRole('list', { name: /^Reasons/u });
    t.match(await reasons.innerText(), /default cohort "everyone"/u);
    t.equal(await page.getByRole('button', { name: /pin/iu }).count(), 0, 'a viewer has no buttons that act');

    await goTo(page, 'Explain', 'Explain a request');
    const pasted = page.getByLabel('A curl line');
    await pasted.fill("curl 'http://shop/api/lamp");
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText("A quote ' is not closed.").waitFor();
    await pasted.fill("curl -X PUT http://shop/api/lamp -H 'X-User: u-77' -H 'X-Plan: staff' -d '{}'");
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByRole('heading', { name: 'PUT /api/lamp goes to legacy' }).waitFor();
    t.match(await reasons.innerText(), /name the user "u-77"/u);
    t.notMatch(page.url(), 'u-77', 'what was pasted is not in the address');
    t.same(await seriousFindings(page), [], 'an explained request');

    await goTo(page, 'Audit', 'Audit');
    await page.getByRole('heading', { level: 2, name: 'Changes' }).waitFor();
    await goTo(page, 'Gateways', 'Gateways and stores');
    await page.getByRole('heading', { level: 2, name: 'Stores' }).waitFor();
    t.equal(await page.locator('main button').count(), 0);
    t.same(complaints, []);
  },
);

await t.test(
  'an operator pins a user, follows the change to its end, and reads it in the audit',
  async (t) => {
    const { page, complaints } = await openPage(t, browser, `${gateway.adminUrl}/#/users/u-2`);
    await logIn(page, OPERATOR);
    await page.getByRole('button', { name: 'Pin to new' }).click();
    const dialog = page.getByRole('dialog');
    t.same(await seriousFindings(page), [], 'the dialog');
    await dialog.getByLabel('Reason').fill('tries the new shop');
    await dialog.getByRole('button', { name: 'Pin', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.locator('.facts').getByText('pinned to new').waitFor();
    await page.getByRole('heading', { name: 'Change: u-2 pinned to new' }).waitFor();
    await page.getByRole('heading', { name: 'GET / goes to new' }).waitFor();
    await page.getByRole('table').getByText('tries the new shop').waitFor();
    t.ok(await page.getByRole('button', { name: 'Unpin' }).isVisible());

    await goTo(page, 'Audit', 'Audit');
    await page.getByLabel('Kind').selectOption('pin');
    await page.waitForURL(/kind=pin/u);
    await page.getByRole('link', { name: 'u-2 pinned to new' }).click();
    await page.getByRole('heading', { level: 1, name: 'u-2 pinned to new' }).waitFor();
    await page.getByRole('heading', { level: 2, name: 'What is known' }).waitFor();
    await page.locator('.facts').getByText('otto').waitFor();

    await page.locator('.facts').getByRole('link', { name: 'u-2' }).click();
    await page.getByRole('button', { name: 'Unpin' }).click();
    await dialog.getByLabel('Reason').fill('enough');
    await dialog.getByRole('button', { name: 'Unpin' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('heading', { name: 'GET / goes to legacy' }).waitFor();
    t.same(complaints, []);
  },
);

await t.test('what was changed is reached at 390 pixels as well, and no page scrolls sideways', async (t) => {
  const { page, complaints } = await openPage(t, browser, `${gateway.adminUrl}/#/audit`, 390);
  await logIn(page, VIEWER);
  await page.getByRole('link', { name: 'u-2 no longer pinned' }).waitFor();
  const width = (): Promise<number> => page.evaluate<number>('document.documentElement.scrollWidth');
  t.equal(await width(), 390, 'the audit');
  await page.getByRole('link', { name: 'u-2 no longer pinned' }).click();
  await page.getByRole('heading', { level: 2, name: 'What is known' }).waitFor();
  t.equal(await width(), 390, 'a change');
  await goTo(page, 'Users', 'Users');
  await lookUp(page, 'u-2');
  t.equal(await width(), 390, 'a user');
  await page.goto(`${gateway.adminUrl}/#/users/${'x'.repeat(900)}%E2%80%AEgnp`);
  await page.getByRole('heading', { level: 1, name: /x{100}/u }).waitFor();
  t.equal(await width(), 390, 'a user with a long key');
  await page.goto(`${gateway.adminUrl}/#/users/u%E2%80%AEgnp`);
  await page.getByRole('heading', { level: 1, name: 'User u⟨U+202E⟩gnp' }).waitFor();
  await goTo(page, 'Explain', 'Explain a request');
  t.equal(await width(), 390, 'explain');
  t.same(complaints, []);
});

await t.test('a difference in real traffic is in the list, and its page shows both answers', async (t) => {
  const group = await within(differenceFromTraffic(), 'a mismatch group', STEP_MS);
  const { page, complaints } = await openPage(t, browser, `${gateway.adminUrl}/#/mismatches`);
  await logIn(page, VIEWER);
  await page.getByRole('table').getByText('$.price').first().waitFor();
  await page
    .locator(`main a[href="#/mismatches/${String(group['id'])}"]`)
    .first()
    .click();
  await page.waitForURL(/mismatches\/[^?]/u);
  await page.getByText('$.price').first().waitFor();
  for (const price of [/"price": ?10/u, /"price": ?12/u]) await page.getByText(price).first().waitFor();
  for (const name of ['Acknowledge', 'Ignore', 'Resolve', 'Assign']) {
    t.equal(await page.getByRole('button', { name }).count(), 0, `a viewer has no ${name}`);
  }
  await goTo(page, 'Coverage', 'Coverage');
  await page.getByRole('table').first().getByText('staff').first().waitFor();
  t.same(complaints, []);
});
