/**
 * Sets V8 up for a process whose objects die with their request. To be imported before anything else: modules are
 * evaluated in the order in which they are imported, and most of what a start leaves behind comes from them.
 *
 * Left alone, V8 lets the heap grow to two or three times what lives in it, and it learns to put arrays that once
 * outlived a collection (those of a slow request) into the old generation, with all that hangs on them.
 * Measured under load with 100,000 users, together with `--max-semi-space-size=2` on the command line (the bound of
 * the young generation cannot be set later): 265 MB resident became 160 to 180. A young generation of 1 MB cost a tenth
 * more CPU, since the requests in flight alone survive each of its collections; an old one that grows by 25 % doubled
 * the cost of an answer of 64 KiB, since buffers count as growth.
 */
import { setFlagsFromString } from 'node:v8';

// The old generation is collected when it has grown by this much.
setFlagsFromString('--heap-growing-percent=40');
setFlagsFromString('--no-allocation-site-pretenuring');
