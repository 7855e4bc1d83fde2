/** What the map in Redis says it is, and its epoch: one command for all who ask in one turn of the event loop. */
import type { MapCommands } from './map-commands.ts';

type Asked = Pick<MapCommands, 'readEpoch'>;
type Epoch = Awaited<ReturnType<MapCommands['readEpoch']>>;

export class EpochQuestion {
  #open: { readonly of: Asked; readonly answer: Promise<Epoch> } | undefined;

  /**
   * Sent at the end of this turn, so after whatever the caller has sent on the same connection.
   *
   * @throws Error as `readEpoch` does
   */
  ask(commands: Asked): Promise<Epoch> {
    if (this.#open?.of === commands) return this.#open.answer;
    const { promise, resolve } = Promise.withResolvers<Epoch>();
    this.#open = { of: commands, answer: promise };
    setImmediate(() => {
      // Whoever asks from now on wants to know what is true from now on.
      if (this.#open?.answer === promise) this.#open = undefined;
      resolve(commands.readEpoch());
    });
    return promise;
  }
}
