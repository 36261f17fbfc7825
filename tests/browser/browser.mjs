// Debian's Chromium, headless, with a fresh profile and no traffic of its own.

import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** A browser without a page. */
export function openBrowser() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

/** Opens the player page on `origin`; `keys` maps the last part of a key's URI to its bytes. */
export async function openPlayer(origin, keys) {
  const browser = await openBrowser();
  // Tests make certificates of their own.
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  const fetched = [];
  await page.route(
    (url) => keys.has(lastPart(url.pathname)),
    (route) => {
      const name = lastPart(new URL(route.request().url()).pathname);
      fetched.push(name);
      return route.fulfill({
        body: keys.get(name),
        contentType: 'application/octet-stream',
        headers: { 'access-control-allow-origin': '*' },
      });
    },
  );
  await page.goto(`${origin}/player/player.html`);
  return { browser, page, fetched };
}

// Keys are served here whatever host the key URI names, so that playlists are tested as they are.
function lastPart(pathname) {
  return decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
}
