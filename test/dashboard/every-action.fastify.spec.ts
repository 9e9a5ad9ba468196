import { everyActionOn } from './everywhere.js';

everyActionOn('fastify');
