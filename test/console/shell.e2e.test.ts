/** What stands around every page: login, roles, the sign that says whether it is live; and the overview itself. */
import t from 'tap';
import { AUTHOR, FakeControl, gatewayView } from '../admin/fake-control.ts';
import { cohortGuardOf, FakeGuard, sideOf, tripOf } from '../admin/fake-guard.ts';
import { STATUS } from '../admin/fake-source.ts';
import { openAdmin, TOKENS } from '../admin/open-admin.ts';
import { openChromium } from '../fixtures/chromium.ts';
import { bundleFor, openPage } from './open-console.ts';

// A browser takes its time on a machine that has other things to do.
t.setTimeout(180_000);
const browser = await openChromium(t);
const consoleFolder = await bundleFor(t);

/** Where the focus is: inside of a dialog, or nowhere in the page, or on what element. */
const FOCUS = `document.activeElement === document.body || document.activeElement.closest('dialog') !== null
  ? 'inside' : document.activeElement.outerHTML`;

const [COHORT] = STATUS.cohorts;
if (COHORT === undefined) throw new Error('the fake status has no cohort');

void t.test('a token opens the overview, and logging out closes it', async (t) => {
  const { port } = await openAdmin(t, { tokens: TOKENS, consoleFolder });
  const { page, complaints } = await openPage(t, browser, `http://127.0.0.1:${port}/`);
  await page.getByLabel('Token').fill('a guess');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('Token not accepted').waitFor();
  await page.getByLabel('Token').fill('viewer-token');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'staff' }).waitFor();
  t.match(await page.locator('.viewer').innerText(), /the-viewer\s+viewer/u);
  const stored = await page.evaluate<string>('JSON.stringify([document.cookie, localStorage])');
  t.notMatch(stored, 'turnout_session', 'no script sees the session');
  t.notMatch(stored, 'viewer-token');

  await page.reload();
  await page.getByRole('link', { name: 'staff' }).waitFor();
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token').waitFor();
  t.same(complaints, []);
});

void t.test('a session that ends while somebody looks leads to the login', async (t) => {
  const { port, admin } = await openAdmin(t, { tokens: TOKENS, consoleFolder });
  const { page } = await openPage(t, browser, `http://127.0.0.1:${port}/`);
  await page.getByLabel('Token').fill('viewer-token');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'staff' }).waitFor();
  admin.setTokens(TOKENS.filter(({ role }) => role !== 'viewer'));
  await page.getByLabel('Token').waitFor();
  t.pass('the live view was ended, and the next call found no session');
});

void t.test('a silent gateway can be evicted by an operator, and not by a viewer', async (t) => {
  const control = new FakeControl();
  control.gatewayViews = [gatewayView('g1'), gatewayView('g2', { verdict: 'silent', silentMs: 65_000 })];
  const { port } = await openAdmin(t, { tokens: TOKENS, control: () => control, consoleFolder });
  const { page, complaints } = await openPage(t, browser, `http://127.0.0.1:${port}/#/gateways`);
  await page.getByLabel('Token').fill('viewer-token');
  await page.keyboard.press('Enter');
  await page.getByText('host-g2, process 1').waitFor();
  t.equal(await page.locator('main button').count(), 0, 'a viewer has no buttons');

  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token').fill('operator-token');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Evict host-g2, process 1' }).click();
  const dialog = page.getByRole('dialog');
  const evict = dialog.getByRole('button', { name: 'Evict' });
  await page.getByLabel('Reason').fill('the machine was taken away');
  t.ok(await evict.isDisabled(), 'not before somebody says that it is gone');
  await page.getByLabel('Its process is gone for certain').check();
  await evict.click();
  await dialog.waitFor({ state: 'detached' });
  t.same(control.evicted, ['g2']);
  t.match(control.evictedBy[0], { actor: 'the-operator', reason: 'the machine was taken away' });
  t.same(complaints, []);
});

void t.test('a dialog keeps the focus inside, and Escape closes it and gives the focus back', async (t) => {
  const control = new FakeControl();
  control.gatewayViews = [gatewayView('g2', { verdict: 'fenced' })];
  const { port } = await openAdmin(t, { control: () => control, consoleFolder });
  const { page } = await openPage(t, browser, `http://127.0.0.1:${port}/#/gateways`);
  await page.getByRole('button', { name: /^Evict/u }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  for (let presses = 0; presses < 12; presses++) {
    const where = await page.evaluate<string | undefined>(FOCUS);
    t.equal(where, 'inside');
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  t.match(await page.evaluate<string>('document.activeElement.textContent'), 'Evict');
});

void t.test('the sign says when news stop, and when they are back', async (t) => {
  const { port, admin } = await openAdmin(t, { consoleFolder });
  const { page } = await openPage(t, browser, `http://127.0.0.1:${port}/`);
  const sign = page.locator('.live-sign');
  await sign.getByText(/✓ live/u).waitFor();
  // Every further stream is refused: what is shown is the last that was known.
  await page.route('**/api/v1/events', (route) => route.abort());
  admin.setTokens([]);
  await sign.getByText('connection lost').waitFor();
  await sign.getByText('last news').waitFor();
  t.ok(await page.getByRole('link', { name: 'staff' }).isVisible(), 'the last that was known');
  await page.unroute('**/api/v1/events');
  await sign.getByRole('button', { name: 'Connect' }).click();
  await sign.getByText(/✓ live/u).waitFor();
});

void t.test(
  'a tab that nobody looks at leaves its connection to others, and is live again when it is seen',
  async (t) => {
    const { port } = await openAdmin(t, { consoleFolder });
    const { page } = await openPage(t, browser, 'about:blank');
    await page.clock.install();
    await page.goto(`http://127.0.0.1:${port}/`);
    const sign = page.locator('.live-sign');
    await sign.getByText(/✓ live/u).waitFor();
    const show = (how: 'hidden' | 'visible') =>
      page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${how}', configurable: true });
      document.dispatchEvent(new Event('visibilitychange'))`);
    const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/events'));
    await show('hidden');
    await page.clock.fastForward(61_000);
    await ended;
    await sign.getByText('not live').waitFor();
    await show('visible');
    await sign.getByText(/✓ live/u).waitFor();
  },
);

void t.test('the overview follows what changes, and says why the guard went back', async (t) => {
  const guard = new FakeGuard();
  guard.list = [
    cohortGuardOf('staff', { legacy: sideOf([5, 5]), new: sideOf([40, 40], 20), trip: undefined }),
  ];
  const { port, source } = await openAdmin(t, { guard: () => guard, consoleFolder });
  const { page, complaints } = await openPage(t, browser, `http://127.0.0.1:${port}/`);
  await page.getByText('guard armed').waitFor();
  await page.getByRole('img', { name: /^Stage live, ramp 100 %/u }).waitFor();

  guard.list = [cohortGuardOf('staff', { stage: 'shadow', phase: 'tripped', trip: tripOf(1) })];
  const held = { ...COHORT, stage: 'shadow' as const, ramp: '12.5 %', held: true };
  source.statusDocument = { ...STATUS, cohorts: [held] };
  await page.getByText('guard tripped', { exact: false }).first().waitFor();
  await page.getByRole('img', { name: 'Stage shadow, ramp 12.5 %, writes wait' }).waitFor();
  await page.getByText('writes wait').waitFor();
  t.match(await page.getByRole('alert').innerText(), 'It goes nowhere until somebody clears it.');
  t.same(complaints, []);
});

void t.test('a change on its way says for which gateway it waits, and goes when it is over', async (t) => {
  const control = new FakeControl();
  control.gatewayViews = [
    gatewayView('g1', { applied: 5, drained: 5 }),
    gatewayView('g2', { applied: 5, drained: 4 }),
  ];
  control.next = { phase: 'holding' };
  const { port } = await openAdmin(t, { control: () => control, consoleFolder });
  const { page, complaints } = await openPage(t, browser, `http://127.0.0.1:${port}/`);
  await page.getByRole('link', { name: 'staff' }).waitFor();
  const ramp = { kind: 'percent', buckets: 1_000 } as const;
  const wanted = { cohort: 'beta', stage: 'live', ramp, dirtyUsers: 'keep' } as const;
  await control.changeStage({ ...AUTHOR, ...wanted, reason: 'the figures are good' });
  await page.getByRole('link', { name: 'beta: shadow to live: 50 % to 10 %' }).waitFor();
  await page.getByText('the figures are good').waitFor();
  const gateways = page.getByRole('list', { name: 'Acknowledgements of the gateways' });
  await gateways.getByRole('listitem').filter({ hasText: 'host-g1' }).getByText('acknowledged').waitFor();
  await gateways.getByRole('listitem').filter({ hasText: 'host-g2' }).getByText('waited for').waitFor();
  await page.locator('[aria-current=step]', { hasText: 'Hold' }).waitFor();
  control.log.length = 0;
  await page.getByText('On its way').waitFor({ state: 'detached' });
  t.same(complaints, []);
});

void t.test(
  'names are text, whatever they contain, and a narrow page does not scroll sideways',
  async (t) => {
    const name = '<img src=x onerror=alert(1)>\u202Egnp.exe';
    const { port, source } = await openAdmin(t, { consoleFolder });
    source.statusDocument = { ...STATUS, cohorts: [{ ...COHORT, name }] };
    const { page, complaints } = await openPage(t, browser, `http://127.0.0.1:${port}/`, 390);
    page.on('dialog', () => void complaints.push('a dialog of the page'));
    await page.getByRole('link', { name }).waitFor();
    t.equal(await page.locator('main img').count(), 0);
    t.equal(await page.evaluate<number>('document.documentElement.scrollWidth'), 390);
    t.same(complaints, []);
  },
);
