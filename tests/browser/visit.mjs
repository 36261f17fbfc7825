// Opens the product's own pages, one after the other, and waits until each says what it should.
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
  for (let at = 2; at < process.argv.length; at += 2) {
    await visit(browser, process.argv[at], process.argv[at + 1]);
  }
} catch (error) {
  console.error(`problem: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
