/**
 * The rules as a machine that walks along with the comparison: a state for each set of rules that may still
 * apply below a value. States are made when they are first needed and kept; since names that appear in no rule
 * all lead to the same state, there are only as many as the rules' own texts make.
 */
import type { PathStep } from './json-path.ts';
import type { Json } from './json-tree.ts';

/** Makes values that mean the same equal, before they are compared. Total: it never throws. */
export type Normaliser = (value: Json) => Json;

export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
  /** `undefined`: the values are not read as times. */
  readonly timeMs: number | undefined;
}

/** A field that the two schemas have at different places, both below one object. */
export interface Move {
  /** Names from the object to the field in legacy's answer. Never empty. */
  readonly legacy: readonly string[];
  /** The same in new's. Never empty. */
  readonly new: readonly string[];
}

/** What one rule does at the place of its path. */
export type Effect =
  | { readonly kind: 'ignore' }
  | { readonly kind: 'unordered' }
  | { readonly kind: 'keyed'; readonly names: readonly string[] }
  | { readonly kind: 'tolerance'; readonly tolerance: Tolerance }
  | { readonly kind: 'normalise'; readonly normaliser: Normaliser }
  | { readonly kind: 'move'; readonly move: Move };

export interface PathRule {
  readonly steps: readonly PathStep[];
  readonly effect: Effect;
  /** How the rule is named to people: `ignore $.generatedAt`. */
  readonly label: string;
}

/** Everything that the rules say of one value. Where two say different things, the one written first wins. */
export interface Effects {
  readonly ignore: string | undefined;
  readonly unordered: string | undefined;
  readonly keyed: { readonly names: readonly string[]; readonly label: string } | undefined;
  readonly tolerance: { readonly tolerance: Tolerance; readonly label: string } | undefined;
  readonly normalise: { readonly normaliser: Normaliser; readonly label: string } | undefined;
  readonly moves: readonly Move[];
  readonly moveLabels: readonly string[];
}

/** How far one rule has got: its index, and the number of its steps that were taken. */
interface Active {
  readonly rule: PathRule;
  readonly index: number;
  readonly taken: number;
}

export class RuleState {
  /** Nothing applies here or below. */
  readonly isEmpty: boolean;
  readonly effects: Effects | undefined;
  readonly #active: readonly Active[];
  readonly #machine: RuleMachine;
  /** How many names the rules have for members of this value. */
  readonly namesCount: number;
  /** The name, if it is one: to compare texts costs less than to look one up. */
  readonly #onlyName: string | undefined;
  /** What has not been asked for yet is there as `null`. */
  readonly #byName = new Map<string, RuleState | null>();
  readonly #byIndex = new Map<number, RuleState | null>();
  #otherName: RuleState | undefined;
  #otherIndex: RuleState | undefined;

  constructor(machine: RuleMachine, active: readonly Active[]) {
    this.#machine = machine;
    this.#active = active;
    this.isEmpty = active.length === 0;
    this.effects = effectsOf(active);
    for (const { rule, taken } of active) {
      const match = rule.steps[taken]?.match;
      if (match?.kind === 'name') this.#byName.set(match.name, null);
      if (match?.kind === 'index') this.#byIndex.set(match.index, null);
    }
    this.namesCount = this.#byName.size;
    const [first] = this.#byName.keys();
    this.#onlyName = this.namesCount === 1 ? first : undefined;
  }

  /** Whether a rule has that name for a member. */
  names(name: string): boolean {
    return this.namesCount > 1 ? this.#byName.has(name) : name === this.#onlyName;
  }

  /** The state of every member that no rule names. */
  get unnamed(): RuleState {
    if (this.isEmpty) return this;
    return (this.#otherName ??= this.#after((match) => match.kind === 'any'));
  }

  /** The state of the member of that name. */
  member(name: string): RuleState {
    if (this.isEmpty) return this;
    const known = this.#byName.size === 0 ? undefined : this.#byName.get(name);
    if (known === undefined) return this.unnamed;
    if (known !== null) return known;
    const next = this.#after(
      (match) => match.kind === 'any' || (match.kind === 'name' && match.name === name),
    );
    this.#byName.set(name, next);
    return next;
  }

  /** The state of the item of that index. */
  item(index: number): RuleState {
    if (this.isEmpty) return this;
    const known = this.#byIndex.size === 0 ? undefined : this.#byIndex.get(index);
    if (known === undefined) return (this.#otherIndex ??= this.#after((match) => match.kind === 'any'));
    if (known !== null) return known;
    const next = this.#after(
      (match) => match.kind === 'any' || (match.kind === 'index' && match.index === index),
    );
    this.#byIndex.set(index, next);
    return next;
  }

  #after(accepts: (match: PathStep['match']) => boolean): RuleState {
    const next: Active[] = [];
    for (const active of this.#active) {
      const step = active.rule.steps[active.taken];
      if (step === undefined) continue;
      if (step.descends) next.push(active);
      if (accepts(step.match)) next.push({ ...active, taken: active.taken + 1 });
    }
    return this.#machine.state(next);
  }
}

export class RuleMachine {
  readonly start: RuleState;
  readonly #states = new Map<string, RuleState>();

  constructor(rules: readonly PathRule[]) {
    this.start = this.state(rules.map((rule, index) => ({ rule, index, taken: 0 })));
  }

  /** The one state for these; the same set always gives the same object. */
  state(active: readonly Active[]): RuleState {
    const unique = new Map(active.map((one) => [`${one.index}:${one.taken}`, one]));
    const key = [...unique.keys()].sort().join(' ');
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const ordered = [...unique.values()].sort((a, b) => a.index - b.index || a.taken - b.taken);
    const state = new RuleState(this, ordered);
    this.#states.set(key, state);
    return state;
  }
}

function effectsOf(active: readonly Active[]): Effects | undefined {
  const arrived = active.filter(({ rule, taken }) => taken === rule.steps.length).map(({ rule }) => rule);
  if (arrived.length === 0) return undefined;
  const first = <K extends Effect['kind']>(kind: K) => {
    for (const { effect, label } of arrived) {
      if (isKind(effect, kind)) return { effect, label };
    }
    return undefined;
  };
  const [keyed, tolerance, normalise] = [first('keyed'), first('tolerance'), first('normalise')];
  const moving = arrived.flatMap(({ effect, label }) =>
    effect.kind === 'move' ? [{ move: effect.move, label }] : [],
  );
  return Object.freeze({
    ignore: first('ignore')?.label,
    unordered: first('unordered')?.label,
    keyed: keyed && { names: keyed.effect.names, label: keyed.label },
    tolerance: tolerance && { tolerance: tolerance.effect.tolerance, label: tolerance.label },
    normalise: normalise && { normaliser: normalise.effect.normaliser, label: normalise.label },
    moves: moving.map(({ move }) => move),
    moveLabels: moving.map(({ label }) => label),
  });
}

function isKind<K extends Effect['kind']>(effect: Effect, kind: K): effect is Extract<Effect, { kind: K }> {
  return effect.kind === kind;
}
