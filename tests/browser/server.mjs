// A small static server for tests: byte ranges, the types of HLS, and a record of what was asked.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.ts': 'video/mp2t',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.m4a': 'audio/mp4',
  '.webm': 'video/webm',
  '.mp3': 'audio/mpeg',
  '.vtt': 'text/vtt; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
};

/** Serves `mounts` (URL prefix → directory) on this port of the loopback interface, or any free one. */
export async function serve(mounts, port = 0) {
  const requests = [];
  const server = createServer((request, response) => {
    answer(mounts, request, response).then(
      (status) => requests.push({ path: request.url, range: request.headers.range, status }),
      (error) => response.destroy(error),
    );
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, requests, close };
}

async function answer(mounts, request, response) {
  const file = locate(mounts, new URL(request.url, 'http://localhost').pathname);
  const size = file && (await sizeOf(file));
  if (!file || size === undefined) return finish(response, 404);
  const headers = {
    'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
    'accept-ranges': 'bytes',
  };
  const range = parseRange(request.headers.range, size);
  if (range === 'unsatisfiable') {
    return finish(response, 416, { 'content-range': `bytes */${size}` });
  }
  const [first, last] = range ?? [0, size - 1];
  headers['content-length'] = last - first + 1;
  if (range) headers['content-range'] = `bytes ${first}-${last}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === 'HEAD' || size === 0) response.end();
  else createReadStream(file, { start: first, end: last }).on('error', () => response.destroy()).pipe(response);
  return range ? 206 : 200;
}

/** The file that a URL names, or nothing when it is under no mount or climbs out of it. */
function locate(mounts, pathname) {
  for (const [prefix, directory] of Object.entries(mounts)) {
    if (!pathname.startsWith(prefix)) continue;
    const file = path.resolve(directory, decodeURIComponent(pathname.slice(prefix.length)));
    if (file.startsWith(path.resolve(directory) + path.sep)) return file;
  }
  return undefined;
}

async function sizeOf(file) {
  try {
    const found = await stat(file);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

function parseRange(header, size) {
  const found = /^bytes=(\d+)-(\d*)$/.exec(header ?? '');
  if (!found) return undefined;
  const first = Number(found[1]);
  const last = found[2] ? Math.min(Number(found[2]), size - 1) : size - 1;
  return first > last ? 'unsatisfiable' : [first, last];
}

function finish(response, status, headers = {}) {
  response.writeHead(status, headers).end();
  return status;
}
