/**
 * Rules as people write them, checked and made ready. All problems are found, none is thrown: the configuration
 * reports them with their lines, the admin API with their places.
 */
import { type ParsedPath, type PathStep, parsePath } from './json-path.ts';
import { COMPARATORS, normaliserOf } from './normalisers.ts';
import {
  type Effect,
  type Move,
  type Normaliser,
  type PathRule,
  RuleMachine,
  type RuleState,
} from './rule-state.ts';
import { shapeProblems } from './rules-shape.ts';
import type { RuleProblem, RulesWritten } from './rules-written.ts';

/** Ready to compare with. Frozen, and usable for any number of comparisons. */
export interface CompiledRules {
  readonly start: RuleState;
  readonly nullIsAbsent: boolean;
  readonly emptyIsAbsent: boolean;
  readonly equalStatus: readonly ReadonlySet<number>[];
  /** In lower case. */
  readonly headers: readonly string[];
  readonly contentType: boolean;
}

export type RuleCompilation =
  | { readonly rules: CompiledRules; readonly problems: readonly [] }
  | { readonly rules: undefined; readonly problems: readonly RuleProblem[] };

/** More paths with `..` than this would make a machine of too many states. */
const DESCENDING_MAX = 32;

const PATH_EXPECTED = 'a path such as $.items[*].price';

/** @param written of any shape: it may come from a file or over the network */
export function compileRules(written: unknown): RuleCompilation {
  const shape = shapeProblems(written);
  const compiler = new Compiler();
  const rules = compiler.compile(shape.written);
  const problems = [...shape.problems, ...compiler.problems];
  return problems.length > 0 ? { rules: undefined, problems } : { rules, problems: [] };
}

/** Everything has to be the same. */
export const NO_RULES: CompiledRules = Object.freeze({
  start: new RuleMachine([]).start,
  nullIsAbsent: false,
  emptyIsAbsent: false,
  equalStatus: [],
  headers: [],
  contentType: true,
});

type Place = RuleProblem['place'];

class Compiler {
  readonly problems: RuleProblem[] = [];
  readonly #rules: PathRule[] = [];

  compile(written: RulesWritten): CompiledRules {
    written.ignore?.forEach((path, index) => {
      this.#rule(path, ['ignore', index], `ignore ${path}`, { kind: 'ignore' });
    });
    written.unordered?.forEach((path, index) => {
      this.#rule(path, ['unordered', index], `unordered ${path}`, { kind: 'unordered' });
    });
    for (const [path, { key }] of Object.entries(written.arrays ?? {})) {
      const names = typeof key === 'string' ? [key] : key;
      this.#rule(path, ['arrays', path], `arrays ${path}`, { kind: 'keyed', names });
    }
    for (const [path, { absolute = 0, relative = 0, timeMs }] of Object.entries(written.tolerance ?? {})) {
      const tolerance = { absolute, relative, timeMs };
      this.#rule(path, ['tolerance', path], `tolerance ${path}`, { kind: 'tolerance', tolerance });
    }
    for (const [path, names] of Object.entries(written.comparators ?? {})) {
      const normaliser = this.#normaliser(names, ['comparators', path]);
      this.#rule(path, ['comparators', path], `comparators ${path}`, { kind: 'normalise', normaliser });
    }
    for (const [legacy, renamed] of Object.entries(written.rename ?? {})) this.#rename(legacy, renamed);
    this.#checkDescending();
    return Object.freeze({
      start: new RuleMachine(this.problems.length > 0 ? [] : this.#rules).start,
      nullIsAbsent: written.nullIsAbsent ?? false,
      emptyIsAbsent: written.emptyIsAbsent ?? false,
      equalStatus: Object.freeze((written.equalStatus ?? []).map((statuses) => new Set(statuses))),
      headers: Object.freeze([...new Set((written.headers ?? []).map((name) => name.toLowerCase()))]),
      contentType: written.contentType ?? true,
    });
  }

  #rule(path: string, place: Place, label: string, effect: Effect): void {
    const steps = this.#steps(parsePath(path), place);
    if (steps !== undefined) this.#rules.push({ steps, effect, label });
  }

  #steps(parsed: ParsedPath, place: Place): readonly PathStep[] | undefined {
    if (parsed.problem === undefined) return parsed.steps;
    this.problems.push({ place, expected: PATH_EXPECTED, why: parsed.problem });
    return undefined;
  }

  /** Several comparators are applied one after the other. */
  #normaliser(written: string | readonly string[], place: Place): Normaliser {
    const names = typeof written === 'string' ? [written] : written;
    const normalisers: Normaliser[] = [];
    names.forEach((name, index) => {
      const normaliser = normaliserOf(name);
      if (normaliser !== undefined) normalisers.push(normaliser);
      else {
        this.problems.push({
          place: typeof written === 'string' ? place : [...place, index],
          expected: `one of ${COMPARATORS.join(', ')}`,
          why: undefined,
        });
      }
    });
    return (value) => normalisers.reduce((result, normalise) => normalise(result), value);
  }

  /**
   * Both paths are cut at their `[*]`; each piece that differs is a move inside the object at which it begins, in
   * legacy's names, because the objects around it have been given legacy's shape by then.
   */
  #rename(legacy: string, renamed: string): void {
    const place = ['rename', legacy];
    const from = this.#steps(parsePath(legacy), place);
    const to = this.#steps(parsePath(renamed), place);
    if (from === undefined || to === undefined) return;
    const pieces = piecesOf(from);
    const others = piecesOf(to);
    const problem = renameProblem(pieces, others);
    if (problem !== undefined || pieces === undefined || others === undefined) {
      this.problems.push({
        place,
        expected: 'two paths of names and [*] such as $.items[*].userName and $.items[*].user.name',
        why: problem,
      });
      return;
    }
    let anchor: readonly PathStep[] = [];
    pieces.forEach((piece, index) => {
      const move: Move = { legacy: piece, new: others[index] ?? [] };
      if (move.legacy.join('\0') !== move.new.join('\0')) {
        this.#rules.push({ steps: anchor, effect: { kind: 'move', move }, label: `rename ${legacy}` });
      }
      const names = piece.map((name): PathStep => ({ match: { kind: 'name', name }, descends: false }));
      anchor = [...anchor, ...names, { match: { kind: 'any' }, descends: false }];
    });
  }

  #checkDescending(): void {
    const descending = this.#rules.filter(({ steps }) => steps.some((step) => step.descends));
    if (descending.length <= DESCENDING_MAX) return;
    this.problems.push({
      place: [],
      expected: `at most ${DESCENDING_MAX} paths with ..`,
      why: `there are ${descending.length}`,
    });
  }
}

/** The names between the `[*]`; `undefined` if there is anything else. */
function piecesOf(steps: readonly PathStep[]): readonly (readonly string[])[] | undefined {
  const pieces: string[][] = [[]];
  for (const { match, descends } of steps) {
    if (descends || match.kind === 'index') return undefined;
    if (match.kind === 'any') pieces.push([]);
    else pieces.at(-1)?.push(match.name);
  }
  return pieces;
}

function renameProblem(
  legacy: readonly (readonly string[])[] | undefined,
  renamed: readonly (readonly string[])[] | undefined,
): string | undefined {
  if (legacy === undefined || renamed === undefined) return 'a renamed field has no .. and no index';
  if (legacy.length !== renamed.length) return 'both paths need the same number of [*]';
  const isUneven = legacy.some(
    (piece, index) => (piece.length === 0) !== ((renamed[index] ?? []).length === 0),
  );
  if (isUneven) return 'between two [*], and at either end, both paths need a name or neither does';
  const isSame = legacy.every((piece, index) => piece.join('\0') === (renamed[index] ?? []).join('\0'));
  return isSame ? 'the two paths are the same' : undefined;
}
