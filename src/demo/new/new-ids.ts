/** The rewrite's ids: name-based UUIDs (RFC 9562, version 5), so that each start of the demo makes the same ones. */
import { createHash } from 'node:crypto';

const NAMESPACE = Buffer.from('6f0c1d0e2b7a4c35a1f98e5d3c4b2a10', 'hex');

/** @param name such as `user/u-17`, `order/1700001`, `product/KET-0001` */
export function uuidFor(name: `${'user' | 'order' | 'product'}/${string}`): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
