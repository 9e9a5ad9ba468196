/** Each dashboard has a module of its own, in which these are its options. */
export const DASHBOARD_IDENTITY = 'nestjs-typeorm-jobs:dashboard-identity';
export const DASHBOARD_SETTINGS = 'nestjs-typeorm-jobs:dashboard-settings';
