export const REDIS_HINT = 'apt-get install redis-server';
