/** A rule as the API and the command line write it: the same as in YAML. */
import { Type } from '@sinclair/typebox';
import { ConfigError } from '../config/problem.ts';
import { Report } from '../config/report.ts';
import { readRule } from '../config/rule.ts';
import type { AttributeRef, Rule } from '../model.ts';
import { AdminError } from './admin-error.ts';

export type RuleForm = Readonly<Record<string, unknown>>;

/** Its meaning is checked by `ruleOf`, whose problems say where they are. */
export const RuleFormSchema = Type.Unsafe<RuleForm>(
  Type.Object(
    {},
    {
      additionalProperties: true,
      description: 'As in the configuration, such as `{ "attribute": "header.x-plan", "in": ["beta"] }`.',
    },
  ),
);

/** @throws AdminError that names every problem of the rule */
export function ruleOf(form: RuleForm): Rule {
  const report = new Report('rule');
  const rule = readRule(form, ['rule'], { report, variables: new Map() });
  try {
    report.throwIfFailed();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(({ path, message }) => `${path}: ${message}`).join('; ');
    throw new AdminError('invalid_request', `The rule cannot be used. ${problems}.`, { cause: error });
  }
  if (rule === undefined) throw new AdminError('invalid_request', 'The rule cannot be used.');
  return rule;
}

function attributeForm({ source, name }: AttributeRef): string {
  return source === 'user' ? 'user' : `${source}.${name}`;
}

/** The other way around: what it returns is read as the same rule. */
export function ruleForm(rule: Rule): RuleForm {
  switch (rule.kind) {
    case 'in':
      return { attribute: attributeForm(rule.attribute), in: rule.values };
    case 'prefix':
      return { attribute: attributeForm(rule.attribute), prefix: rule.prefix };
    case 'exists':
      return { attribute: attributeForm(rule.attribute), exists: true };
    case 'all':
      return { all: rule.rules.map(ruleForm) };
    case 'any':
      return { any: rule.rules.map(ruleForm) };
    case 'not':
      return { not: ruleForm(rule.rule) };
    default:
      rule satisfies never;
      throw new Error('a rule of no kind');
  }
}
