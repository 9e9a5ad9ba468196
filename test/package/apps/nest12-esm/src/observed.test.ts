import test from 'node:test';
import { observe, PLATFORMS } from './observed.js';

for (const platform of PLATFORMS) test(`is observed on ${platform}`, () => observe(platform));
