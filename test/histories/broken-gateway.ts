/**
 * The program with one part broken: `broken-gateway FAULT start …`. Everything else is what `turnout` is, because it
 * is the same: one method of one class is replaced before the program begins. Nothing in the product knows of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { GatewayAgent } from '../../src/cutover/gateway-agent.ts';
import { InFlightWrites } from '../../src/cutover/in-flight-writes.ts';
import { ABSENT_RECORD } from '../../src/model.ts';
import { FallbackJudge } from '../../src/pipeline/fallback-judge.ts';
import { Contact } from '../../src/state/contact.ts';
import { UserTable } from '../../src/state/user-table.ts';
import { UserWriter } from '../../src/state/user-writer.ts';
import { GatewayMarker } from '../../src/state/write-marker.ts';
import { FAULTS, type Fault } from './gateways.ts';

/** How long a read of a user stays on its way, so that a change overtakes it for certain. */
const READ_MS = 3_000;

/** @param name of the getter, checked by the compiler as a member of the class */
function replaceGetter<T extends object>(type: { prototype: T }, name: keyof T & string, get: () => unknown) {
  if (Object.getOwnPropertyDescriptor(type.prototype, name)?.get === undefined) {
    throw new Error(`there is no getter ${name} any more`);
  }
  Object.defineProperty(type.prototype, name, { get });
}

const BREAK: { readonly [F in Fault]: () => void } = {
  /** A hold is acknowledged while writes are in flight. */
  'no-drain': () => {
    InFlightWrites.prototype.ofCohort = () => 0;
    InFlightWrites.prototype.unsettledOf = () => 0;
    InFlightWrites.prototype.ofUser = () => 0;
    replaceGetter(InFlightWrites, 'unplaced', () => 0);
    replaceGetter(InFlightWrites, 'unsettledUnplaced', () => 0);
  },
  /** A gateway that hears nothing goes on with what it knew. */
  'no-fence': () => {
    replaceGetter(GatewayAgent, 'fenced', () => false);
    replaceGetter(Contact, 'attachment', () => 'attached');
  },
  /** A read of a user that a change overtakes puts the old record into the cache. */
  'put-back': () => {
    const load = Reflect.get(UserTable.prototype, 'load');
    UserTable.prototype.load = async function loadAndPutBack(user) {
      const versioned = await load.call(this, user);
      await delay(READ_MS);
      this.forget(user);
      this.learn(user, versioned);
      return versioned;
    };
  },
  /** A rule places a user anew with each request. */
  'not-sticky': () => {
    UserWriter.prototype.place = async (_user, cohort) => ({
      ...ABSENT_RECORD,
      membership: { cohort, ordinal: undefined, by: 'rule' },
    });
  },
  /** Nobody notes who writes to `new`. */
  'no-marks': () => {
    GatewayMarker.prototype.isMarked = () => true;
  },
  /** Nobody looks who has written to `new` when it fails to answer a read. */
  'no-look': () => {
    GatewayMarker.prototype.wrote = () => Promise.resolve('none');
    FallbackJudge.prototype.hasWritten = () => false;
  },
};

const [wanted] = process.argv.splice(2, 1);
const fault = FAULTS.find((known) => known === wanted);
if (fault === undefined) throw new Error(`there is no fault ${wanted}`);
BREAK[fault]();
await import('../../src/main.ts');
