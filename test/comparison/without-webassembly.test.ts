import t from 'tap';
import { scanHazards } from '../../src/comparison/scan-hazards.ts';
import { outlineOf } from './answers.ts';

// It is asked for when the first document is scanned, and remembered: this file has a process of its own.
Reflect.deleteProperty(globalThis, 'WebAssembly');

void t.test('without WebAssembly nothing is lost that was not lost with it', async (t) => {
  t.equal(scanHazards(Buffer.from('{"a":1}')), undefined);
  t.same(outlineOf('{"a":1,"b":0}', '{"b":0,"a":1}'), ['matched']);
  t.same(outlineOf('{"a":1,"a":2}', '{"a":2}'), ['mismatched', 'duplicate-key $.a [1,2] > [2]']);
  t.same(outlineOf('[9007199254740993]', '[9007199254740992]')[0], 'mismatched');
  t.same(outlineOf('[1e-400]', '[0]')[0], 'mismatched');
  t.same(outlineOf('[1e400]', '[1e401]')[0], 'mismatched');
});
