import { ClockedMemory } from './clocked-store.js';
import { hostileSuite } from './suite.js';

hostileSuite(new ClockedMemory());
