/** Gateways whose part of the barrier is broken. */
import t from 'tap';
import { faultIsNoticed } from './fault-is-noticed.ts';

faultIsNoticed(t, 'no-drain', [2]);
faultIsNoticed(t, 'no-fence', [2, 3]);
