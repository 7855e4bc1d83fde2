import t from 'tap';
import { GatewayWatch } from '../../src/cutover/gateway-watch.ts';
import type { RegisteredGateway } from '../../src/cutover/stores.ts';

const POLICY = { selfFenceAfterMs: 10_000, writeMaxMs: 5_000 };

function gateway(id: string): RegisteredGateway {
  return { id, where: 'host', registeredAt: new Date(0) };
}

class Stores {
  nowMs = 1_000;
  registered: readonly RegisteredGateway[] = [gateway('a')];
  asked = 0;
  /** Registries that are asked for and not answered yet, the first that was asked first. */
  held: (() => void)[] | undefined;
  readonly watch = new GatewayWatch(
    { registeredGateways: () => this.#registry() },
    { leases: async () => [] },
    POLICY,
    () => this.nowMs,
  );

  async #registry(): Promise<readonly RegisteredGateway[]> {
    this.asked += 1;
    const { registered, held } = this;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    return registered;
  }

  async ids(sinceMs?: number): Promise<string[]> {
    return (await this.watch.askLeases(sinceMs)).map(({ id }) => id);
  }
}

void t.test('the registry is that of after the step that is waited for', async (t) => {
  const stores = new Stores();
  t.strictSame(await stores.ids(), ['a']);
  stores.registered = [gateway('a'), gateway('b')];
  stores.nowMs += 100;
  t.strictSame(await stores.ids(), ['a'], 'without a step, that of a moment ago will do');
  const stepMs = stores.nowMs;
  stores.nowMs += 1;
  t.strictSame(await stores.ids(stepMs), ['a', 'b']);
  t.equal(stores.asked, 2);
  stores.nowMs += 100;
  await stores.ids(stepMs);
  t.equal(stores.asked, 2, 'and is asked for once');
  stores.nowMs += 200;
  await stores.ids(stepMs);
  t.equal(stores.asked, 3, 'until it is old');
});

void t.test('one that was read at the very moment of the step is read again', async (t) => {
  const stores = new Stores();
  await stores.ids();
  stores.registered = [gateway('a'), gateway('b')];
  t.strictSame(await stores.ids(stores.nowMs), ['a', 'b']);
});

void t.test('a registry that was asked for earlier does not take the place of a later one', async (t) => {
  const stores = new Stores();
  const held: (() => void)[] = [];
  stores.held = held;
  const early = stores.ids();
  stores.registered = [gateway('a'), gateway('b')];
  stores.nowMs += 1;
  const late = stores.ids();
  held[1]?.();
  t.strictSame(await late, ['a', 'b']);
  held[0]?.();
  t.strictSame(await early, ['a', 'b']);
  stores.held = undefined;
  t.strictSame(await stores.ids(), ['a', 'b']);
});
