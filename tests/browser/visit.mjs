// Opens pages of the product's own side by side, and waits until each says what it should.
//
// node visit.mjs URL TEXT [URL TEXT…]     TEXT is a regular expression for the page's status line

import { openBrowser } from './browser.mjs';

// Two busy cores decode slowly.
const PATIENCE = 60_000;

async function visit(browser, url, text) {
  const page = await browser.newPage();
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

const browser = await openBrowser();
try {
  const pages = process.argv.slice(2);
  const pairs = pages.filter((_, at) => at % 2 === 0).map((url, at) => [url, pages[2 * at + 1]]);
  await Promise.all(pairs.map(([url, text]) => visit(browser, url, text)));
} catch (error) {
  console.error(`problem: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
