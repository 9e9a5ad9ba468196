import { readdir, readFile } from 'node:fs/promises';

const TICKS_PER_SECOND = 100;

/**
 * The CPU time of a server and its processes so far, in milliseconds. Null if the server is not ours, or on a system
 * without /proc.
 */
export async function cpuMsOf(pid) {
  if (pid === undefined || process.platform !== 'linux') return null;
  const processes = await Promise.all(
    (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(statOf),
  );
  const family = processes.filter((stat) => stat !== null && (stat.pid === pid || stat.parent === pid));
  // The kernel adds the time of a child that has ended to its parent.
  const ticks = family.reduce((sum, stat) => sum + stat.own + (stat.pid === pid ? stat.ended : 0), 0);
  return (ticks * 1000) / TICKS_PER_SECOND;
}

async function statOf(name) {
  try {
    const text = await readFile(`/proc/${name}/stat`, 'utf8');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    return {
      pid: Number(name),
      parent: fields[1],
      own: fields[11] + fields[12],
      ended: fields[13] + fields[14],
    };
  } catch {
    return null; // the process has ended in the meantime
  }
}
