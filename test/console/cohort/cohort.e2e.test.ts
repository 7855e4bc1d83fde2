/** A cohort's page in a real browser: moved, taken back, refused, and its members sent from a file. */
import type { Page } from 'playwright-core';
import t, { type Test } from 'tap';
import type { Change } from '../../../src/cutover/change.ts';
import { AUTHOR, cohortNamed, FakeControl, gatewayView } from '../../admin/fake-control.ts';
import { cohortGuardOf, FakeGuard, runOf, tripOf } from '../../admin/fake-guard.ts';
import { openAdmin, TOKENS } from '../../admin/open-admin.ts';
import { openChromium } from '../../fixtures/chromium.ts';
import { bundleFor, openPage } from '../open-console.ts';

// A browser takes its time on a machine that has other things to do.
t.setTimeout(180_000);
const browser = await openChromium(t);
const consoleFolder = await bundleFor(t);

interface Opened {
  readonly control?: FakeControl;
  readonly guard?: FakeGuard;
  readonly cohort?: string;
  readonly token?: string;
}

async function openCohort(t: Test, opened: Opened) {
  const { control = new FakeControl(), guard = new FakeGuard(), cohort = 'beta', token } = opened;
  const tokens = token === undefined ? {} : { tokens: TOKENS };
  const { port } = await openAdmin(t, {
    ...tokens,
    control: () => control,
    guard: () => guard,
    consoleFolder,
  });
  const { page, complaints } = await openPage(t, browser, `http://127.0.0.1:${port}/#/cohorts/${cohort}`);
  if (token !== undefined) {
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
  }
  await page.getByRole('heading', { name: 'Where it stands' }).waitFor();
  return { page, complaints, control };
}

/** What the newest change has become meanwhile. */
function becomes(control: FakeControl, more: Partial<Change>): void {
  const [change] = control.log;
  if (change === undefined) throw new Error('no change was asked for');
  control.log[0] = { ...change, ...more };
}

async function moveToLive(t: Test, page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Change stage or ramp …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Stage', { exact: true }).selectOption('live');
  await dialog.getByLabel('Ramp', { exact: true }).fill('10%');
  await dialog.getByText('10 % of the').waitFor();
  await dialog.getByLabel('Reason').fill('no mismatch for a week');
  t.ok(
    await dialog.getByRole('button', { name: 'Move users' }).isDisabled(),
    'not before somebody has seen what is missing',
  );
  await dialog.getByLabel('Go on although').check();
  await dialog.getByRole('button', { name: 'Move users' }).click();
  await dialog.waitFor({ state: 'detached' });
}

void t.test(
  'users are moved: what moves is said first, and the barrier is followed to its end',
  async (t) => {
    const control = new FakeControl();
    control.next = { phase: 'holding' };
    control.gatewayViews = [gatewayView('g1', { drained: 5 }), gatewayView('g2', { drained: 4 })];
    const { page, complaints } = await openCohort(t, { control });
    await moveToLive(t, page);
    t.match(control.asked[0], { cohort: 'beta', stage: 'live', ramp: { kind: 'percent', buckets: 1_000 } });
    t.match(control.asked[0], { reason: 'no mismatch for a week', dirtyUsers: 'drain' });

    const steps = page.getByRole('list', { name: 'Steps of the change' });
    await steps.locator('[aria-current=step]', { hasText: 'Hold' }).waitFor();
    await page.getByText('finishes its writes; drained epoch 4').waitFor();
    await page.getByText('1 of 2 gateways acknowledged').waitFor();

    becomes(control, { phase: 'switching', switchEpoch: 6 });
    await steps.locator('[aria-current=step]', { hasText: 'Switch' }).waitFor();
    const endedAt = new Date('2026-11-21T09:00:02Z');
    becomes(control, { phase: 'done', switchEpoch: 6, releaseEpoch: 7, endedAt });
    await page.getByText('In force on every gateway since epoch 7, after 2 s.').waitFor();

    // What somebody else begins, the guard for one, takes its place.
    const ramp = { kind: 'percent', buckets: 1_000 } as const;
    const back = { cohort: 'beta', stage: 'shadow', ramp, dirtyUsers: 'keep' } as const;
    await control.changeStage({ ...AUTHOR, ...back, reason: 'new fails' });
    await steps.locator('[aria-current=step]', { hasText: 'Hold' }).waitFor();
    await page.getByText('new fails').first().waitFor();
    t.same(complaints, []);
  },
);

void t.test('a change that is undone says so, and why', async (t) => {
  const control = new FakeControl();
  control.next = { phase: 'undone', note: 'gateway g2 did not drain /api/orders' };
  const { page } = await openCohort(t, { control });
  await moveToLive(t, page);
  await page.getByText('and nobody moved: gateway g2 did not drain /api/orders').first().waitFor();
  t.match(await page.getByRole('list', { name: 'Steps of the change' }).innerText(), /Undo\s+passed/u);
});

void t.test('a rollback counts clean and dirty users before it asks for a reason', async (t) => {
  const control = new FakeControl();
  control.dirtyUsers.add('ann');
  control.preview = { clean: 1_203 };
  const { page } = await openCohort(t, { control, cohort: 'staff' });
  await page.getByRole('button', { name: 'Roll back …' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('1,203 users that the record knows lose nothing').waitFor();
  await dialog.getByText('1 user wrote to new since the switch: ann').waitFor();
  t.equal(control.log.length, 0, 'nothing has begun');
  await dialog.getByLabel('Users with writes').selectOption('keep');
  await dialog.getByLabel('Reason').fill('orders are slow');
  await dialog.getByRole('button', { name: 'Roll back', exact: true }).click();
  await page.getByText('1 user with writes in new stayed in new, pinned.').waitFor();
  t.match(control.asked.at(-1), { cohort: 'staff', dirtyUsers: 'keep', reason: 'orders are slow' });
});

void t.test('where writes are not known, only force goes back', async (t) => {
  const control = new FakeControl();
  control.preview = { tracked: false };
  const { page } = await openCohort(t, { control, cohort: 'staff' });
  await page.getByRole('button', { name: 'Roll back …' }).click();
  const choice = page.getByRole('dialog').getByLabel('Users with writes');
  t.equal(await choice.inputValue(), 'force');
  t.equal(await choice.locator('option:disabled').count(), 2);
});

void t.test('members are sent from a file, and refused lines are told by their number', async (t) => {
  const control = new FakeControl();
  control.list.push(cohortNamed('sydney', 'off'));
  const { page, complaints } = await openCohort(t, { control, cohort: 'sydney' });
  await page.getByRole('button', { name: 'Add from a file …' }).click();
  const dialog = page.getByRole('dialog');
  const buffer = Buffer.from('ann\nbob\nrefuse-me\ncid');
  await dialog.getByLabel('File').setInputFiles({ name: 'users.txt', mimeType: 'text/plain', buffer });
  await dialog.getByLabel('Reason').fill('the second city');
  await dialog.getByRole('button', { name: 'Send' }).click();
  await dialog.getByText('Done: 4 lines, 3 users added').waitFor();
  await dialog.getByText('1 refused line').click();
  await dialog.getByText('line 3: refuse-me wrote to new').waitFor();
  t.same([...control.records.keys()], ['ann', 'bob', 'cid']);
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await page.getByRole('link', { name: 'cid' }).waitFor();

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  t.equal(download.suggestedFilename(), 'sydney-members.txt');
  t.same((await (await download.createReadStream()).toArray()).join(''), 'ann\nbob\ncid\n');
  t.same(complaints, []);
});

void t.test('a plan is paused with a reason, and a trip is told and cleared', async (t) => {
  const guard = new FakeGuard();
  guard.list = [cohortGuardOf('staff', { ramp: runOf('baking'), trip: undefined })];
  const { page } = await openCohort(t, { guard, cohort: 'staff' });
  await page.getByRole('button', { name: 'Pause …' }).click();
  await page.getByLabel('Reason').fill('lunch');
  await page.getByRole('button', { name: 'Pause the plan' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });

  guard.list = [cohortGuardOf('staff', { stage: 'shadow', phase: 'tripped', trip: tripOf(1) })];
  await page.getByText('The guard tripped. The cohort goes nowhere until a person clears it.').waitFor();
  await page.getByRole('button', { name: 'Clear the trip …' }).click();
  await page.getByLabel('Reason').fill('the pool was too small');
  await page.getByRole('button', { name: 'Clear the trip', exact: true }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  t.match(guard.asked, [
    { pause: 'staff', reason: 'lunch' },
    { clear: 'staff', reason: 'the pool was too small' },
  ]);
});

void t.test('a viewer sees all of it, and nothing that acts', async (t) => {
  const { page } = await openCohort(t, { token: 'viewer-token' });
  // There are no reports here: what did not come can be asked for again.
  await page.getByRole('button', { name: 'Try again' }).waitFor();
  const names = await page.locator('main button').allInnerTexts();
  t.same(names, ['Try again', 'Download', 'Look up']);
});
