/** Gateways that are wrong about single users. */
import t from 'tap';
import { faultIsNoticed } from './fault-is-noticed.ts';

faultIsNoticed(t, 'put-back', [3]);
faultIsNoticed(t, 'not-sticky', [1, 3]);
faultIsNoticed(t, 'no-marks', [6]);
faultIsNoticed(t, 'no-look', [4]);
