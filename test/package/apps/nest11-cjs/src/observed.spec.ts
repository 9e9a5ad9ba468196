import { observe, PLATFORMS } from './observed';

it.each(PLATFORMS)('is observed on %s', (platform) => observe(platform));
