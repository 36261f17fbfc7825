// Plays a published package to its end in a real browser and reports what was seen.
//
// node play.mjs (--root DIR (--playlist PATH | --file PATH) | --url PLAYLIST) [--keys DIR]
//               [--token TOKEN] [--expect-levels N] [--expect-generation NAME] [--rate N]
//               [--seek SECONDS] [--expect-duration SECONDS] [--port PORT] [--hold] [--report FILE]
//
// With --port the page's origin is known beforehand. With --hold the page loads one segment, says
// "holding" on standard output, and goes on when it is told anything on standard input.

import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { openPlayer } from './browser.mjs';
import { judge } from './judge.mjs';
import { serve } from './server.mjs';

const HERE = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
// Media time must move within this many milliseconds; two busy cores decode slowly.
const PATIENCE = 60_000;

export async function play(options) {
  const { root, playlist, file, url, keys, token, expectLevels = 1, rate = 4 } = options;
  const held = await loadKeys(keys);
  const mounts = {
    '/player/': path.join(HERE, 'page'),
    '/hls.js/': path.join(HERE, 'node_modules/hls.js/dist'),
    ...(root && { '/media/': root }),
  };
  const site = await serve(mounts, Number(options.port ?? 0));
  const { browser, page, fetched } = await openPlayer(site.origin, held);
  try {
    const local = (name) => `${site.origin}/media/${name.split('/').map(encodeURIComponent).join('/')}`;
    const hls = Boolean(playlist ?? url);
    const { hold, seek } = options;
    const order = { url: url ?? local(playlist ?? file), rate, seek, token, hold, patience: PATIENCE };
    await page.exposeFunction('released', untilToldToGoOn);
    const report = hls
      ? await page.evaluate((order) => window.playHls(order), order)
      : await page.evaluate((order) => window.playFile(order), order);
    Object.assign(report, { keysFetched: [...new Set(fetched)], requests: site.requests });
    report.problems = judge(report, {
      hls, keys: held.size, expectLevels, expectGeneration: options['expect-generation'],
      seek, expectDuration: options['expect-duration'],
    });
    return report;
  } finally {
    await browser.close();
    await site.close();
  }
}

function untilToldToGoOn() {
  console.log('holding');
  return new Promise((resolve) => {
    process.stdin.once('data', () => resolve());
    process.stdin.once('end', () => resolve());
  });
}

async function loadKeys(directory) {
  const names = directory ? await readdir(directory) : [];
  const load = async (name) => [name, await readFile(path.join(directory, name))];
  return new Map(await Promise.all(names.map(load)));
}

async function main() {
  const { values } = parseArgs({
    options: {
      root: { type: 'string' },
      playlist: { type: 'string' },
      file: { type: 'string' },
      url: { type: 'string' },
      keys: { type: 'string' },
      token: { type: 'string' },
      'expect-levels': { type: 'string' },
      'expect-generation': { type: 'string' },
      port: { type: 'string' },
      hold: { type: 'boolean' },
      rate: { type: 'string' },
      seek: { type: 'string' },
      'expect-duration': { type: 'string' },
      report: { type: 'string' },
    },
  });
  if (!values.url && (!values.root || !(values.playlist ?? values.file))) {
    throw new Error('give --url, or --root and one of --playlist and --file');
  }
  const expectLevels = Number(values['expect-levels'] ?? 1);
  const report = await play({ ...values, expectLevels, rate: Number(values.rate ?? 4), seek: values.seek && Number(values.seek) });
  const text = JSON.stringify(report, null, 2);
  if (values.report) await writeFile(values.report, `${text}\n`);
  else console.log(text);
  for (const problem of report.problems) console.error(`problem: ${problem}`);
  // A pipe that nobody closes would keep it alive.
  process.stdin.unref?.();
  process.exitCode = report.problems.length > 0 ? 1 : 0;
}

if (process.argv[1] === new URL(import.meta.url).pathname) await main();
