/** Something about this machine, or what was asked for, keeps the demo from running. Its message is for a person. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}
