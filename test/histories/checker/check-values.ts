/** Property 5: what clients were told of their writes, against what the backends have. */
import type { Applied, Operation, Violation, WriteSent } from './history.ts';

export function checkValues(
  applied: readonly Applied[],
  operations: readonly Operation[],
): readonly Violation[] {
  const violations: Violation[] = [];
  const report = (user: string, text: string): void => void violations.push({ property: 5, user, text });
  const logged = new Map<string, Applied>();
  for (const write of applied) {
    const before = logged.get(write.value);
    if (before !== undefined) {
      const again = `${before.backend} at ${before.appliedSeq} and ${write.backend} at ${write.appliedSeq}`;
      report(write.user, `write ${write.value} was applied twice, by ${again}`);
    }
    logged.set(write.value, write);
  }
  const sent = new Set<string>();
  for (const operation of operations) {
    if (operation.kind !== 'write') continue;
    sent.add(operation.value);
    const wrong = judge(operation, logged.get(operation.value));
    if (wrong !== undefined) report(operation.user, `write ${operation.value} ${wrong}`);
  }
  for (const { user, value } of applied) {
    if (!sent.has(value)) report(user, `write ${value} was applied, and nobody had sent it`);
  }
  return violations;
}

function judge({ outcome, told, backend, user }: WriteSent, found: Applied | undefined): string | undefined {
  switch (outcome) {
    case 'ok':
      if (found === undefined) return `was acknowledged by ${backend} and is in no log`;
      if (found.backend !== backend) return `was acknowledged by ${backend} and applied by ${found.backend}`;
      return found.user === user ? undefined : `of ${user} was applied for ${found.user}`;
    case 'failed':
      return found === undefined ? undefined : `was refused (${told}) and applied by ${found.backend}`;
    case 'unknown':
      return found === undefined || found.user === user ? undefined : `was applied for ${found.user}`;
    default:
      return outcome satisfies never;
  }
}
