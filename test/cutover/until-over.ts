import { type Change, isOver } from '../../src/cutover/change.ts';

/** A change that was answered as still pending, or under way, on a busy machine: waits for its outcome. */
export async function untilOver(
  control: { change(id: string): Promise<Change | undefined> },
  begun: Change,
): Promise<Change> {
  let change = begun;
  for (let looks = 0; !isOver(change.phase) && looks < 600; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    change = (await control.change(begun.id)) ?? change;
  }
  return change;
}
