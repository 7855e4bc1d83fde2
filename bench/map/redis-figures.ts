import type { Redis } from 'ioredis';

/** What Redis has allocated, bytes. */
export async function usedBytes(redis: Redis): Promise<number> {
  return figure(await redis.info('memory'), 'used_memory');
}

/** User and system time of Redis since its start, microseconds. */
export async function redisCpuUs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  return (figure(info, 'used_cpu_user') + figure(info, 'used_cpu_sys')) * 1e6;
}

function figure(info: string, name: string): number {
  const value = Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1]);
  if (Number.isNaN(value)) throw new Error(`Redis does not tell its ${name}`);
  return value;
}
