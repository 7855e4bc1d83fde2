/** How far a change is, in words. */
import type { ChangeDocument, ChangeInProgressDocument } from '../admin/control-documents.ts';
import { printable } from './printable.ts';

/** Whether nothing about it changes any more. */
export function isOver({ phase }: Pick<ChangeDocument, 'phase'>): boolean {
  return phase === 'done' || phase === 'undone';
}

/** `holding: 2 of 3 gateways have drained; waits for b (host 7, worker 1)`. */
export function progressInWords({ phase, note, gateways }: ChangeInProgressDocument): string {
  const missing = gateways.filter(({ acknowledged }) => !acknowledged);
  const parts: string[] = [phase];
  if (phase !== 'pending' && gateways.length > 0) {
    const did = phase === 'holding' ? 'have drained' : 'have applied it';
    parts.push(`${gateways.length - missing.length} of ${gateways.length} gateways ${did}`);
  }
  if (note !== null) parts.push(printable(note));
  return parts.join(': ');
}
