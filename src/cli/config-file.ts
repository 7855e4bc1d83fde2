/** Reading a configuration for a command: every problem on standard error, exit code 78. */
import { loadConfig } from '../config/load-config.ts';
import type { ConfigModel } from '../config/model.ts';
import { ConfigError, formatProblems } from '../config/problem.ts';
import { type CliContext, CliError, EXIT } from './context.ts';

/** @throws CliError with all problems, one a line */
export function readConfig(file: string, { env }: Pick<CliContext, 'env'>): ConfigModel {
  try {
    return loadConfig(file, env);
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CliError(formatProblems(error), EXIT.config, { cause: error });
    throw error;
  }
}

/** What the command line says about ports; it wins over the file. */
export interface Ports {
  readonly port: number | undefined;
  readonly adminPort: number | undefined;
}

export function withPorts(config: ConfigModel, { port, adminPort }: Ports): ConfigModel {
  const { listen, admin } = config;
  return {
    ...config,
    listen: { ...listen, port: port ?? listen.port },
    admin: { ...admin, listen: { ...admin.listen, port: adminPort ?? admin.listen.port } },
  };
}
