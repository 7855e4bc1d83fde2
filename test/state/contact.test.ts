import t from 'tap';
import { Contact } from '../../src/state/contact.ts';

await t.test('without contact a gateway is detached, and fenced from the configured time on', async (t) => {
  let now = 1_000;
  const contact = new Contact(() => now, 10_000);
  contact.following = true;
  t.equal(contact.attachment, 'attached');
  now += 5_999;
  t.equal(contact.attachment, 'attached');
  now += 1;
  t.equal(contact.attachment, 'detached', 'silent for too long, although the connection seems fine');
  now += 3_999;
  t.equal(contact.attachment, 'detached');
  now += 1;
  t.equal(contact.attachment, 'fenced');
  contact.proven(now);
  t.equal(contact.attachment, 'attached');
  contact.following = false;
  t.equal(contact.attachment, 'detached');
});

await t.test('an answer to an old question proves nothing about now', async (t) => {
  let now = 0;
  const contact = new Contact(() => now, 10_000);
  contact.following = true;
  const sentAt = now;
  now = 60_000; // The process was frozen; the answer waited in its socket.
  contact.proven(sentAt);
  t.equal(contact.attachment, 'fenced');
  contact.proven(59_000);
  contact.proven(3);
  t.equal(contact.silentMs, 1_000, 'contact never goes back');
});
