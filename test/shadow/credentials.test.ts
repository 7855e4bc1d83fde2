import t from 'tap';
import {
  isCredentialName,
  isHiddenTarget,
  targetWithoutCredentials,
  withoutCredentials,
} from '../../src/shadow/credentials.ts';

void t.test('names that may carry a credential, in every spelling', async (t) => {
  const secret = [
    'Authorization',
    'Proxy-Authorization',
    'COOKIE',
    'Set-Cookie',
    'X-Api-Key',
    'apikey',
    'x-auth-token',
    'accessToken',
    'access_token',
    'client_secret',
    'X-CSRF-Token',
    'sessionId',
    'PHP-Session',
    'x-amz-security-token',
    'X-Amz-Signature',
    'ocp-apim-subscription-key',
    'password',
  ];
  for (const name of secret) t.ok(isCredentialName(name), name);
  const plain = [
    'accept',
    'author',
    'keyword',
    'x-user-id',
    'content-type',
    'etag',
    'x-page-key-count',
    'passenger',
    'monkey',
  ];
  for (const name of plain) t.notOk(isCredentialName(name), name);
});

void t.test('headers keep their order and case, without credentials', async (t) => {
  const headers = ['Accept', 'a', 'COOKIE', 'b', 'X-Shop-Jwt-Of-Ours', 'c', 'X-User', 'd', 'Own', 'e'];
  t.strictSame(withoutCredentials(headers, new Set(['own'])), ['Accept', 'a', 'X-User', 'd']);
});

void t.test('a query keeps everything but the values of credentials', async (t) => {
  t.equal(
    targetWithoutCredentials('/a?q=1&access_token=abc&x&Sig=1%3D2&%61pi_key=3#'),
    '/a?q=1&access_token=redacted&x&Sig=redacted&%61pi_key=redacted',
  );
  const plain = '/a?q=%zz&page=2';
  t.equal(targetWithoutCredentials(plain), plain);
  t.equal(targetWithoutCredentials('/token=1'), '/token=1');
  t.ok(isHiddenTarget('/a?token=redacted'));
  t.ok(isHiddenTarget('/a?b=1&token=redacted&c'));
  t.notOk(isHiddenTarget('/a?q=redacted-text'));
});
