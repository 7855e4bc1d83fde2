/** What a change is about, in the few words of a table's cell. */
import type { ChangeDocument, DefinitionDocument } from '../admin/control-documents.ts';
import { printable, rampFormInWords } from './printable.ts';

function fromTo(from: DefinitionDocument, to: DefinitionDocument): string {
  const ramp = (form: number | string) => rampFormInWords(form);
  if (from.stage === to.stage) return `${to.stage}: ${ramp(from.ramp)} to ${ramp(to.ramp)}`;
  const at = from.ramp === to.ramp ? ramp(to.ramp) : `${ramp(from.ramp)} to ${ramp(to.ramp)}`;
  return `${from.stage} to ${to.stage}: ${at}`;
}

/** `1,204 users`, `1 user`. */
export function usersInWords(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'user' : 'users'}`;
}

/** The order of the rules is not part of a definition, so a change of nothing else is one of the order. */
function edited(from: DefinitionDocument, to: DefinitionDocument): string {
  const parts = (['rule', 'default', 'migration', 'mirror', 'ramp', 'stage'] as const).filter(
    (part) => JSON.stringify(from[part]) !== JSON.stringify(to[part]),
  );
  return parts.length === 0 ? 'order edited' : `${parts.join(', ')} edited`;
}

export function changeInWords(change: ChangeDocument): string {
  const { kind, from, to, user, pin, users, dirty, dirtyUsers } = change;
  const stayed =
    dirty === 0 ? '' : `, ${usersInWords(dirty)} ${dirtyUsers === 'force' ? 'stranded' : 'kept'}`;
  const who = printable(user ?? '?');
  switch (kind) {
    case 'stage':
    case 'rollback': {
      const what = from === null || to === null ? kind : fromTo(from, to);
      return `${kind === 'rollback' ? 'rollback, ' : ''}${what}${stayed}`;
    }
    case 'cohort-create':
      return 'created';
    case 'cohort-edit':
      return `${from === null || to === null ? 'edited' : edited(from, to)}${stayed}`;
    case 'cohort-delete':
      return `deleted${stayed}`;
    case 'pin':
      return `${who} pinned to ${pin ?? '?'}${stayed}`;
    case 'unpin':
      return `${who} no longer pinned${stayed}`;
    case 'members-add':
      return `${usersInWords(users)} added${stayed}`;
    case 'members-remove':
      return `${usersInWords(users)} taken out${stayed}`;
    case 'reassign':
      return `${usersInWords(users)} to be placed anew${stayed}`;
    default:
      kind satisfies never;
      throw new Error('a change of no kind');
  }
}

/** With the cohort that it is about: `beta: shadow to live: 10 %`. Of users it is said anyway. */
export function changeOfWhom(change: ChangeDocument): string {
  const words = changeInWords(change);
  return change.cohort === null ? words : `${printable(change.cohort)}: ${words}`;
}
