import { readProperty } from '../../job/describe-error.js';

const NAMES = ['username', 'email', 'name', 'id', 'sub'];

/** Who makes a request, by what authentication has left in it. */
export function whoOf(request: object): string {
  const user = readProperty(request, 'user');
  if (typeof user === 'string') return user;
  if (typeof user !== 'object' || user === null) return 'unknown';
  for (const name of NAMES) {
    const value = readProperty(user, name);
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  }
  return 'unknown';
}
