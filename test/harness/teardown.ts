/** What anything that is started for a test needs of it: a place to register its own end. */
export interface Teardown {
  teardown(handler: () => void | Promise<void>): void;
}
