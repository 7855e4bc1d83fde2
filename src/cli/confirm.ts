/** Nothing that moves a truth happens before somebody has agreed to it: in person, or with `--yes`. */
import { type CliContext, CliError, EXIT } from './context.ts';

/**
 * @param sentence what would happen
 * @throws CliError when the person says no, or when there is neither a person nor `--yes`
 */
export async function confirm(
  sentence: string,
  yes: boolean,
  { ask, writer }: Pick<CliContext, 'ask' | 'writer'>,
): Promise<void> {
  if (yes) return;
  if (ask === undefined) {
    throw new CliError(`${sentence}. Nobody is at a terminal to confirm it: add --yes.`, EXIT.usage);
  }
  writer.note(`${sentence}.`);
  const answer = await ask('Go on? [y/N] ');
  if (!/^y(?:es)?$/iu.test(answer.trim())) throw new CliError('Nothing was changed.');
}
