/** A plan as somebody types it: `--steps "100,1000,10%,100%" --bake 10m --gate comparedMin=1000`. */
import { InvalidArgumentError } from 'commander';
import { parseRampForm } from '../admin/ramp-form.ts';
import { CliError, EXIT } from './context.ts';

export const GATES_HELP =
  'NAME=VALUE, as often as needed: guard=healthy (default), not-tripped or any; mismatchShareMax=0.1%; comparedMin=1000; mirrorBacklogMax=0';

/** As the API takes it. */
export interface PlanForm {
  readonly steps: readonly { readonly ramp: number | string; readonly bakeMs: number }[];
  readonly gates: Readonly<Record<string, number | string>>;
  readonly automatic: boolean;
}

export function parseSteps(text: string): readonly (number | string)[] {
  return text.split(',').map((word) => {
    const ramp = parseRampForm(word.trim());
    if (ramp === undefined) {
      throw new InvalidArgumentError(
        `${word.trim() === '' ? 'A step' : word.trim()} is no step: steps are numbers of users or shares, such as 100,1000,10%,100%.`,
      );
    }
    return ramp;
  });
}

export type Gate = readonly [name: string, value: number | string];

export function collectGate(text: string, before: readonly Gate[] = []): Gate[] {
  const at = text.indexOf('=');
  const [name, value] = [text.slice(0, Math.max(0, at)), text.slice(at + 1)];
  if (name === 'guard') {
    if (['healthy', 'not-tripped', 'any'].includes(value)) return [...before, [name, value]];
  } else if (name === 'mismatchShareMax') {
    const share = value.endsWith('%') ? Number(value.slice(0, -1)) / 100 : Number(value);
    if (value !== '' && share >= 0 && share <= 1) return [...before, [name, share]];
  } else if (name === 'comparedMin' || name === 'mirrorBacklogMax') {
    if (/^\d{1,10}$/u.test(value)) return [...before, [name, Number(value)]];
  }
  throw new InvalidArgumentError(`A gate is ${GATES_HELP}.`);
}

export interface PlanOptions {
  readonly plan?: string;
  readonly steps?: readonly (number | string)[];
  readonly bake?: number;
  readonly gate?: readonly Gate[];
  readonly automatic?: boolean;
}

const BAKE_MS = 600_000;

/** @returns the name of a plan of the configuration, or a plan @throws CliError for both, or neither */
export function planOf({ plan, steps, bake, gate, automatic }: PlanOptions): string | PlanForm {
  if (plan !== undefined) {
    const stray = [steps, bake, gate, automatic].some((option) => option !== undefined);
    if (!stray) return plan;
    const message =
      'A plan by its name has its own steps and gates: give --plan, or --steps with the others.';
    throw new CliError(message, EXIT.usage);
  }
  if (steps === undefined) {
    throw new CliError('By which plan? Give --plan NAME, or --steps "100,1000,10%,100%".', EXIT.usage);
  }
  return {
    steps: steps.map((ramp) => ({ ramp, bakeMs: bake ?? BAKE_MS })),
    gates: Object.fromEntries(gate ?? []),
    automatic: automatic ?? false,
  };
}
