import { everyActionOn } from './everywhere.js';

everyActionOn('express');
