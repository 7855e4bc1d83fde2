import t from 'tap';
import { type FieldNode, fieldTree, stepsOf } from '../../src/console/evidence/field-tree.ts';

interface Shown {
  readonly label: string;
  readonly where: string;
  readonly found: readonly string[];
  readonly total: number;
  readonly children: readonly Shown[];
}
const tree = (places: string[]): readonly Shown[] => fieldTree(places, (place) => place);
const outline = (nodes: readonly FieldNode<string>[], indent = ''): string[] =>
  nodes.flatMap(({ label, total, children }) => [
    `${indent}${label} ${total}`,
    ...outline(children, `${indent}  `),
  ]);

await t.test('places share the steps that they have in common', (t) => {
  const nodes = fieldTree(
    ['$.items[].price', '$.items[].tax.rate', '$.items[].tax.rate', 'status', 'header.etag', '$.items'],
    (place) => place,
  );
  t.strictSame(outline(nodes), [
    '$.items 4',
    '  [] 3',
    '    .price 1',
    '    .tax.rate 2',
    'status 1',
    'header etag 1',
  ]);
  t.end();
});

await t.test('each node says the place that it stands for', (t) => {
  const [root] = tree(["$['a.b'][].c", "$['a.b'][].d"]);
  t.equal(root?.where, "$['a.b'][]");
  t.strictSame(
    root?.children.map(({ where }) => where),
    ["$['a.b'][].c", "$['a.b'][].d"],
  );
  const [header] = tree(['header.etag', 'header.vary']);
  t.strictSame(
    header?.children.map(({ where }) => where),
    ['header.etag', 'header.vary'],
  );
  t.end();
});

await t.test('names that mean something in JavaScript are names', (t) => {
  t.strictSame(outline(fieldTree(['$.__proto__', '$.constructor'], (place) => place)), [
    '$ 2',
    '  .__proto__ 1',
    '  .constructor 1',
  ]);
  t.end();
});

await t.test('what cannot be read, and what is very deep, is one step', (t) => {
  t.strictSame(stepsOf('$.a[what'), ['$', '.a', '[what']);
  t.equal(stepsOf(`$${'.a'.repeat(5_000)}`).length, 65);
  t.end();
});
