import t from 'tap';
import { compileRules, NO_RULES } from '../../src/comparison/compile-rules.ts';
import { ReadReplay } from '../../src/shadow/read-replay.ts';
import type { ShadowRequest } from '../../src/shadow/report-sink.ts';
import { startBackend } from '../harness/backend.ts';
import { testConfig } from '../harness/gateway.ts';
import type { Teardown } from '../harness/teardown.ts';
import { type Answering, json } from './shadow-world.ts';

async function replayOf(t: Teardown, legacy: Answering, renewed: Answering, shadow = {}) {
  const backends = { legacy: await startBackend(t, legacy), new: await startBackend(t, renewed) };
  const config = testConfig({
    backends: { legacy: backends.legacy.port, new: backends.new.port },
    settings: { shadow },
  });
  const replay = new ReadReplay(() => config);
  t.teardown(() => replay.close());
  return { replay, ...backends };
}

function request(parts: Partial<ShadowRequest> = {}): ShadowRequest {
  return { method: 'GET', target: '/a?b=1', headers: ['host', 'shop.test', 'X-User', 'leo'], ...parts };
}

void t.test('both sides are asked, with the configured credentials, and compared', async (t) => {
  const replayHeaders = [{ name: 'Authorization', value: 'Bearer of-the-robot' }];
  const {
    replay,
    legacy,
    new: renewed,
  } = await replayOf(t, json({ a: 1 }, { 'set-cookie': 'sid=1' }), json({ a: 2 }), { replayHeaders });
  const outcome = await replay.replay(request(), 'legacy', NO_RULES);
  t.match(outcome, {
    kind: 'compared',
    comparison: {
      verdict: 'mismatched',
      differences: [{ path: '$.a', left: { value: 1 }, right: { value: 2 } }],
    },
  });
  t.notMatch(JSON.stringify(outcome), 'sid=1');
  for (const seen of [legacy.requests[0], renewed.requests[0]]) {
    t.match(seen, {
      method: 'GET',
      url: '/a?b=1',
      headers: {
        host: 'shop.test',
        'x-user': 'leo',
        authorization: 'Bearer of-the-robot',
        'x-turnout-shadow': '1',
      },
    });
  }
});

void t.test('sides and rules are the caller’s', async (t) => {
  const { replay } = await replayOf(t, json({ a: 1, b: 1 }), json({ a: 2, b: 1 }));
  const { rules = NO_RULES } = compileRules({ ignore: ['$.a'] });
  t.match(await replay.replay(request(), 'legacy', rules), { comparison: { verdict: 'ignored' } });
  t.match(await replay.replay(request({ method: 'HEAD' }), 'new', NO_RULES), {
    comparison: { verdict: 'matched' },
  });
  t.match(await replay.replay(request(), 'new', NO_RULES), {
    comparison: { differences: [{ left: { value: 2 }, right: { value: 1 } }] },
  });
});

void t.test('a write, or a query without its credential, is not asked again', async (t) => {
  const { replay, legacy, new: renewed } = await replayOf(t, json({}), json({}));
  t.same(await replay.replay(request({ method: 'POST' }), 'legacy', NO_RULES), {
    kind: 'impossible',
    why: 'method',
  });
  t.same(await replay.replay(request({ target: '/a?token=redacted' }), 'legacy', NO_RULES), {
    kind: 'impossible',
    why: 'credential_in_query',
  });
  t.equal(legacy.requests.length + renewed.requests.length, 0);
});

void t.test(
  'a side that fails is a difference, one that is too large a skip; closed, nothing is asked',
  async (t) => {
    const { replay } = await replayOf(
      t,
      json({}),
      (seen, response) => {
        if (seen.url === '/dead') response.destroy();
        else response.end('x'.repeat(2_000));
      },
      { bodyBytesMax: 1_000 },
    );
    t.match(await replay.replay(request({ target: '/dead' }), 'legacy', NO_RULES), {
      comparison: { differences: [{ kind: 'error' }] },
    });
    t.same(await replay.replay(request(), 'legacy', NO_RULES), { kind: 'skipped', reason: 'body_too_large' });
    replay.close();
    t.same(await replay.replay(request(), 'legacy', NO_RULES), { kind: 'skipped', reason: 'stopping' });
  },
);
