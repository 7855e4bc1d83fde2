/**
 * From the text of a configuration to the model of it, or to all of its problems.
 *
 * 1. The YAML is read into plain data. 2. `${NAME}` is filled in. 3. Defaults are filled in. 4. The shape is
 * checked against the schema. 5. Every part whose shape is right is read into its model, which finds what a
 * schema cannot say, and the parts are checked together. 6. Only now are the problems thrown, all of them.
 * 7. What is usable but doubtful becomes a warning.
 */
import { allConditions } from '../guard/guard-settings.ts';
import { deepFreeze } from './deep-freeze.ts';
import { readDocument } from './document.ts';
import { type Environment, interpolate } from './interpolation.ts';
import type { ConfigModel } from './model.ts';
import { type Parts, readParts } from './parts.ts';
import { isMapping } from './place.ts';
import type { Reading } from './reading.ts';
import { Report } from './report.ts';
import { ConfigSchema, type ConfigWritten } from './schema.ts';
import { withDefaults } from './schema-walk.ts';
import { checkShape, describeFound, shapeOf } from './shape.ts';
import { warn } from './warnings.ts';

export interface ParseOptions {
  /** Where the text is from, for messages. */
  readonly file?: string;
  /** The variables that `${NAME}` stands for; none by default. */
  readonly env?: Environment;
}

const configShape = shapeOf<ConfigWritten>(ConfigSchema);

/**
 * Reads a configuration. Files that it names (certificates, keys, secrets) are read, relative to the working
 * directory.
 * @returns the model, deeply frozen, with every default filled in
 * @throws ConfigError with every problem, if there is any
 */
export function parseConfig(text: string, options: ParseOptions = {}): ConfigModel {
  const report = new Report(options.file ?? 'configuration');
  // 1
  const data = readDocument(text, report);
  if (data === undefined) report.throwIfFailed();
  if (data !== null && !isMapping(data)) {
    const found = describeFound(data, ConfigSchema, undefined);
    report.problem([], `expected a mapping with keys such as \`backends\`; found ${found}`, { found });
    report.throwIfFailed();
  }
  // 2
  const { value, variables } = interpolate(data ?? {}, ConfigSchema, options.env ?? {}, report);
  const reading: Reading = { report, variables };
  // 3
  const written = withDefaults(ConfigSchema, value);
  // 4
  const isShaped = checkShape(configShape, written, [], variables, report);
  // 5
  const parts = readParts(written, reading);
  // 6
  report.throwIfFailed();
  if (!isShaped) throw new Error('the shape is wrong although no problem was found');
  // 7
  const config = modelOf(report.file, written, parts);
  warn(written, config, reading);
  return deepFreeze({ ...config, warnings: report.warnings });
}

function modelOf(file: string, written: ConfigWritten, parts: Parts): Omit<ConfigModel, 'warnings'> {
  return {
    file,
    listen: present(parts.listen),
    workers: written.workers,
    admin: { listen: present(parts.adminListen), tokens: parts.tokens.map(present) },
    backends: { legacy: present(parts.legacy), new: present(parts.new) },
    state: present(parts.state),
    record: present(parts.record),
    identity: parts.identity.map(present),
    anonymous: written.anonymous,
    cohorts: parts.cohorts.map(present),
    routes: parts.routes.map((route) => present(route).model),
    shadow: written.shadow,
    guard: {
      ...written.guard,
      conditions: allConditions(written.guard, parts.conditions.map(present)),
      hooks: parts.hooks.map(present),
      ramps: Object.fromEntries([...parts.plans].map(([name, plan]) => [name, present(plan)])),
    },
    cutover: written.cutover,
    limits: written.limits,
    forwarding: written.forwarding,
    log: written.log,
    shutdown: written.shutdown,
  };
}

/** A part without a problem is there. */
function present<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('a part is missing although no problem was found');
  return part;
}
