// The judge and the server themselves; the product's packages are played by tests/browser.rs.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { judge } from './judge.mjs';
import { serve } from './server.mjs';

const GOOD = {
  fatal: [], errors: [], waits: [0], sizes: ['320x180', '640x360'], frames: 100, audioBytes: 9,
  ended: true, currentTime: 12, duration: 12.02, requests: [{ path: '/a', status: 200 }],
  levels: [0, 1], levelCount: 2, segments: [0, 1], fragments: ['main 0', 'main 1'],
  keysFetched: ['k'], audioTracks: [], subtitleTracks: [], cues: [],
};
const HLS = { hls: true, keys: 1, expectLevels: 2 };

test('a good report has no problems', () => {
  assert.deepEqual(judge(GOOD, HLS), []);
});

test('every fault is named', () => {
  const faults = {
    'did not end': { ended: false },
    'ended at': { currentTime: 10 },
    fatal: { fatal: ['x'] },
    'stalled at the end': { waits: [11.9] },
    'only levels': { levels: [0] },
    'the picture only': { sizes: ['320x180'] },
    'segment 1': { fragments: ['main 0'] },
    '0 of 1 keys': { keysFetched: [] },
    '/a answered 404': { requests: [{ path: '/a', status: 404 }] },
    'the sound did not change': { audioTracks: ['a', 'b'] },
    'no subtitle': { subtitleTracks: ['a'] },
    'subtitles at': { subtitleTracks: ['a'], cues: [99] },
  };
  for (const [problem, fault] of Object.entries(faults)) {
    const found = judge({ ...GOOD, ...fault }, HLS);
    assert.equal(found.length, 1, `${problem}: ${found}`);
    assert.ok(found[0].startsWith(problem), found[0]);
  }
});

test('another generation than expected is named', () => {
  const report = { ...GOOD, generations: ['g0001-a', 'g0002-b'] };
  const found = judge(report, { ...HLS, expectGeneration: 'g0001-a' });
  assert.deepEqual(found, ['played g0001-a,g0002-b, not g0001-a']);
});

test('the server gives ranges and stays in its directory', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'vodmill-server-'));
  const site = await serve({ '/media/': directory });
  try {
    await writeFile(path.join(directory, 'a b.ts'), '0123456789');
    const part = await fetch(`${site.origin}/media/a%20b.ts`, { headers: { range: 'bytes=2-4' } });
    assert.equal(part.status, 206);
    assert.equal(await part.text(), '234');
    assert.equal((await fetch(`${site.origin}/media/..%2Fpasswd`)).status, 404);
    assert.equal((await fetch(`${site.origin}/media/none`)).status, 404);
  } finally {
    await site.close();
    await rm(directory, { recursive: true });
  }
});
