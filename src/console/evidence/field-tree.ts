/** Places that differ, as the tree of fields that they are in: `$.items[].price` is below `items`, below `[]`. */

export interface FieldNode<T> {
  /** What it adds to the place above: `.items`, `[]`, `{}`; several steps where nothing branches. */
  readonly label: string;
  /** The place as a whole, as groups write it. */
  readonly where: string;
  /** What differs exactly here. */
  readonly found: readonly T[];
  readonly children: readonly FieldNode<T>[];
  /** What differs here and below. */
  readonly total: number;
}

interface Draft<T> {
  readonly label: string;
  readonly where: string;
  readonly found: T[];
  readonly children: Map<string, Draft<T>>;
}

/** `.name`, `['odd name']`, `[]`, `{}`, and what was cut. */
const STEP = /\.[^.[{]+|\['(?:[^'\\]|\\.)*'\]…?|\[\]|\{\}/y;

/** Deeper places are shown in one step. */
const STEPS_MAX = 64;

/** @returns the steps that lead to it; `status` and the like have one, what cannot be read too */
export function stepsOf(where: string): readonly string[] {
  if (where.startsWith('header.')) return ['header', where.slice('header.'.length)];
  if (!where.startsWith('$')) return [where];
  const steps = ['$'];
  let at = 1;
  while (at < where.length) {
    STEP.lastIndex = at;
    const step = STEP.exec(where)?.[0];
    if (step === undefined || steps.length >= STEPS_MAX) return [...steps, where.slice(at)];
    steps.push(step);
    at += step.length;
  }
  return steps;
}

/** @param found anything that has a place; in the order in which siblings are to stand */
export function fieldTree<T>(found: readonly T[], whereOf: (one: T) => string): readonly FieldNode<T>[] {
  const roots = new Map<string, Draft<T>>();
  for (const one of found) {
    let level = roots;
    let above = '';
    let draft: Draft<T> | undefined;
    for (const step of stepsOf(whereOf(one))) {
      const where = above === 'header' ? `header.${step}` : `${above}${step}`;
      draft = level.get(step) ?? { label: step, where, found: [], children: new Map() };
      level.set(step, draft);
      level = draft.children;
      above = where;
    }
    draft?.found.push(one);
  }
  return [...roots.values()].map(finished);
}

function finished<T>({ label, where, found, children }: Draft<T>): FieldNode<T> {
  const below = [...children.values()].map(finished);
  const [only] = below;
  // A step that leads to one other and is no finding itself says nothing alone.
  if (found.length === 0 && below.length === 1 && only !== undefined) {
    return { ...only, label: where === 'header' ? `header ${only.label}` : `${label}${only.label}` };
  }
  const total = below.reduce((sum, node) => sum + node.total, found.length);
  return { label, where, found, children: below, total };
}
