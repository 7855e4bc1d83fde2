/**
 * A connection to Redis that is opened when it is first needed, given up after the first failure, and opened anew by
 * the next call.
 */
import { openRedis, type RedisClient, type RedisModel } from './redis-client.ts';

const CONNECT_MS = 5_000;

interface Opened<T> {
  readonly client: RedisClient;
  readonly made: T;
}

export class RedisConnection<T> {
  readonly #model: RedisModel;
  readonly #make: (client: RedisClient) => T;
  readonly #whose: string;
  #opened: Promise<Opened<T>> | undefined;
  #isClosed = false;

  /**
   * @param make what work is given of a connection that was opened
   * @param whose in words: it begins the message once this is closed
   */
  constructor(model: RedisModel, make: (client: RedisClient) => T, whose: string) {
    this.#model = model;
    this.#make = make;
    this.#whose = whose;
  }

  /** Work that is under way fails. */
  close(): void {
    this.#isClosed = true;
    this.#drop(this.#opened);
  }

  /** Asks Redis. Not bounded but by the work itself, and by five seconds for connecting. */
  async ask<R>(work: (made: T) => Promise<R>): Promise<R> {
    const opening = this.#open();
    const { made } = await opening;
    try {
      return await work(made);
    } catch (error) {
      this.#drop(opening);
      throw error;
    }
  }

  #open(): Promise<Opened<T>> {
    if (this.#isClosed) return Promise.reject(new Error(`${this.#whose} is closed`));
    if (this.#opened !== undefined) return this.#opened;
    const opening = openRedis(this.#model, CONNECT_MS, true).then((client) => ({
      client,
      made: this.#make(client),
    }));
    this.#opened = opening;
    const forget = (): void => {
      if (this.#opened === opening) this.#opened = undefined;
    };
    opening.then(({ client }) => client.ended.then(forget), forget);
    return opening;
  }

  #drop(opened: Promise<Opened<T>> | undefined): void {
    if (this.#opened === opened) this.#opened = undefined;
    opened?.then(
      ({ client }) => client.close(),
      () => undefined,
    );
  }
}
