import cronstrue from 'cronstrue';

/** `*\/5 * * * *` → `Every 5 minutes`; null where there are no words for it. */
export function cronWords(cron: string): string | null {
  try {
    return cronstrue.toString(cron, { use24HourTimeFormat: true });
  } catch {
    return null;
  }
}
