/**
 * A migration as the one who runs it sees it: everything is done and read in a browser, against a gateway with the demo's
 * configuration between the demo's two shops, the new one with its seeded faults.
 */
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { openChromium } from '../fixtures/chromium.ts';
import { openPage } from './open-console.ts';
import { OPERATOR } from './real-gateway.ts';
import { demoShops } from './real-shops.ts';

// Two shops, an embedded Postgres and a browser take their time on a machine that has other things to do.
t.setTimeout(400_000);
/** How long one step may take before it counts as not happening. */
const STEP_MS = 60_000;
const COHORT = 'everyone';

const browser = await openChromium(t);
const shops = await demoShops(t);

/** The share of matching reads as the cohort's page has it: half of those who shop first have an order that differs. */
const ABOUT_HALF = /^[3-5]\d(?:\.\d+)? % of [\d,]+ compared reads matched/u;
/** Not to be had while those orders differ. */
const MORE = /^(?:[6-9]\d(?:\.\d+)?|100) % of [\d,]+ compared reads matched/u;

async function logIn(page: Page): Promise<void> {
  page.setDefaultTimeout(STEP_MS);
  await page.getByLabel('Token').fill(OPERATOR);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
}

async function goTo(page: Page, link: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: link, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: link }).waitFor();
}

async function openCohort(page: Page): Promise<void> {
  await page.getByRole('link', { name: COHORT, exact: true }).first().click();
  await page.getByRole('heading', { level: 1, name: COHORT }).waitFor();
}

/** A mismatch: how much matches, and in the list what does not. */
async function seeMismatch(page: Page): Promise<void> {
  const shopping = shops.shop('half of them differ');
  await openCohort(page);
  await page.getByRole('img', { name: 'Stage shadow, ramp 100 %' }).waitFor();
  await page.getByText(ABOUT_HALF).waitFor();
  await goTo(page, 'Mismatches');
  await page.getByRole('table').getByRole('link', { name: '$.total' }).click();
  await page.getByRole('heading', { level: 1, name: '$.total' }).waitFor();
  await shopping.over();
}

/** The rule that would silence it, as the console proposes it: tried, then saved. */
async function takeRule(t: Test, page: Page): Promise<void> {
  const marked = page.locator('.pair-answers tr.pair-group').first();
  await marked.waitFor();
  t.match(await marked.innerText(), /≠/u, 'both answers beside each other, the difference marked');
  const save = page.getByRole('button', { name: 'Save these rules' });
  t.ok(await save.isDisabled(), 'only rules that were tried can be saved');
  await page.getByRole('button', { name: 'Try tolerance $.total' }).click();
  await page.getByText(/vanishes from \d/u).waitFor();
  await page.getByText('It silences nothing else.').waitFor();
  await save.click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill('legacy rounds, new cuts: a cent is agreed with the bookkeepers');
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText(/version \d+, saved at run time/u).waitFor();
}

async function seeShareRise(page: Page): Promise<void> {
  const shopping = shops.shop('half of them differ');
  await goTo(page, 'Overview');
  await openCohort(page);
  await page.getByText(MORE).waitFor();
  await shopping.over();
}

/** With what would move, what is not as it should be, and a reason. */
async function flip(t: Test, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Change stage or ramp …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Stage', { exact: true }).selectOption('live');
  await dialog.getByLabel('Ramp', { exact: true }).fill('10%');
  await dialog.getByText(/10 % of .*from legacy to new|to new.*10 %/u).waitFor();
  const preconditions = dialog.locator('.preconditions li');
  t.match(await preconditions.filter({ hasText: 'Match share' }).innerText(), /matched/u);
  for (const title of ['Coverage', 'Mirror backlog', 'Guard', 'Gateways', 'Its turn']) {
    t.match(
      await preconditions.filter({ hasText: title }).first().innerText(),
      /^\S (?:met|not met|not known)\b/u,
    );
  }
  await dialog.getByLabel('Reason').fill('only cents differ, and they are agreed');
  const move = dialog.getByRole('button', { name: 'Move users' });
  t.ok(await move.isDisabled(), 'the reads that differed are still in the figures: that has to be said');
  await dialog.getByLabel('Go on although').check();
  await move.click();
  await dialog.waitFor({ state: 'detached' });
}

/** A customer's write is under way, so that there is something to wait for. */
async function watchBarrier(t: Test, page: Page, write: { end(): Promise<number> }): Promise<void> {
  const steps = page.getByRole('list', { name: 'Steps of the change' });
  await steps.locator('[aria-current=step]', { hasText: 'Hold' }).waitFor();
  await page.getByText('0 of 1 gateways acknowledged').waitFor();
  await page.getByText(/finishes its writes/u).waitFor();
  t.equal(await write.end(), 200, 'the write that was waited for went through');
  await page.getByText(/^In force on every gateway since epoch \d+/u).waitFor();
  t.equal(await steps.locator('.step-passed').count(), 4);
  await page.getByRole('img', { name: 'Stage live, ramp 10 %' }).waitFor();
}

async function seeGuardGoBack(page: Page): Promise<void> {
  await goTo(page, 'Overview');
  await page.locator('main').getByText('guard armed').first().waitFor();
  await shops.breakNew();
  await page.getByRole('alert').getByText('guard tripped').waitFor();
  await page.getByRole('img', { name: /^Stage shadow, ramp/u }).waitFor();
}

async function readWhy(t: Test, page: Page): Promise<void> {
  await page.getByRole('alert').getByRole('link', { name: COHORT }).click();
  await page.getByRole('heading', { level: 1, name: COHORT }).waitFor();
  const note = page.locator('.note-problem', { hasText: 'The guard tripped.' });
  await note.getByText(/was back on legacy everywhere/u).waitFor();
  const why = await note.innerText();
  t.match(why, 'The cohort goes nowhere until a person clears it.');
  t.match(
    why,
    /the condition errorRate \(over 5 % and 1\.5 × what legacy has\) tripped for cohort everyone/u,
  );
  t.match(why, /the share of failed requests at new was [\d.]+ % of \d+ requests; more than [\d.]+ % trips/u);
  t.match(why, /What failed: \d+ × /u);
  const history = page.getByRole('table', { name: /^Changes and trips/u });
  await history.getByText('guard takes the cohort back: errorRate').waitFor();
  const rows = await history.getByRole('row').allInnerTexts();
  t.ok(
    rows.some((row) => /shadow to live/u.test(row) && /otto/u.test(row) && /cents differ/u.test(row)),
    'the flip is there with its reason',
  );
  t.ok(await page.getByRole('button', { name: 'Clear the trip …' }).isVisible());
}

await t.test(
  'a mismatch, a rule, more matches, a tenth of the users moved, a broken backend, and everybody back',
  async (t) => {
    const { page, complaints } = await openPage(t, browser, `${shops.adminUrl}/`);
    await logIn(page);
    await seeMismatch(page);
    await takeRule(t, page);
    await seeShareRise(page);
    const write = await shops.slowWrite();
    await flip(t, page);
    await watchBarrier(t, page, write);
    const shopping = shops.shop('everybody');
    await seeGuardGoBack(page);
    await readWhy(t, page);
    await shopping.over();
    t.same(complaints, []);
  },
);
