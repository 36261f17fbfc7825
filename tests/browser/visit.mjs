// Opens pages of the product's own side by side, and waits until each says what it should.
//
// node visit.mjs [--no-hls] URL TEXT [URL TEXT…]     TEXT is a regular expression for the page's status
//                                                    line; --no-hls: the browser plays HLS, it says,
//                                                    but gets no playlist

import { openBrowser } from './browser.mjs';

// Two busy cores decode slowly.
const PATIENCE = 60_000;

async function visit(browser, url, text) {
  const page = await browser.newPage();
  if (noHls) {
    await page.addInitScript(() => { HTMLMediaElement.prototype.canPlayType = () => 'maybe'; });
    await page.route('**/*.m3u8*', (route) => route.abort());
  }
  await page.goto(url);
  const status = () => page.locator('#status').textContent();
  const says = (text) => new RegExp(text).test(document.getElementById('status').textContent);
  try {
    await page.waitForFunction(says, text, { timeout: PATIENCE });
  } catch (error) {
    throw new Error(`"${await status()}" does not become /${text}/: ${error.message}`);
  } finally {
    await page.close();
  }
}

const noHls = process.argv[2] === '--no-hls';
const browser = await openBrowser();
try {
  const pages = process.argv.slice(noHls ? 3 : 2);
  const pairs = pages.filter((_, at) => at % 2 === 0).map((url, at) => [url, pages[2 * at + 1]]);
  await Promise.all(pairs.map(([url, text]) => visit(browser, url, text)));
} catch (error) {
  console.error(`problem: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
