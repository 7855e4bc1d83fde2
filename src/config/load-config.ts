/**
 * A configuration file.
 */
import type { Environment } from './interpolation.ts';
import type { ConfigModel } from './model.ts';
import { parseConfig } from './parse-config.ts';
import { Report } from './report.ts';
import { FileError, readSmallText } from './small-file.ts';

const CONFIG_BYTES_MAX = 1_048_576;

/**
 * Reads and validates a configuration file of at most 1 MiB of UTF-8.
 * @param env the variables that `${NAME}` stands for
 * @returns the model, deeply frozen, with every default filled in
 * @throws ConfigError with every problem; one that concerns the file as a whole has line 0
 */
export function loadConfig(file: string, env: Environment): ConfigModel {
  return parseConfig(readConfigText(file), { file, env });
}

function readConfigText(file: string): string {
  try {
    return readSmallText(file, CONFIG_BYTES_MAX);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const report = new Report(file);
    report.problem([], `this file cannot be used: ${error.message}`);
    return report.fail(error);
  }
}
