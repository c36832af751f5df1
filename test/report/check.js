// Opens pages in Chromium and tells what is wrong with them, as JSON. It reads
// its task from standard input: {chromium, pages: [{name, file, screenshots, accessible, quick}]}.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { chromium } = require('playwright-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const screens = {
  desktop: { viewport: { width: 1280, height: 900 }, deviceScaleFactor: 1 },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  // As narrow as WCAG's reflow asks for: 1280 pixels at 400 %.
  narrow: { viewport: { width: 320, height: 640 }, deviceScaleFactor: 1 },
};

// overflow lists what sticks out of the page sideways. What scrolls by itself may.
function overflow() {
  const wide = document.documentElement.clientWidth;
  const out = [];
  if (document.documentElement.scrollWidth > wide) {
    out.push(`the page is ${document.documentElement.scrollWidth} pixels wide, the screen ${wide}`);
  }
  for (const element of document.body.querySelectorAll('*')) {
    if (element.closest('.scroll, .skip, .hidden, svg') || !element.checkVisibility()) continue;
    const { left, right } = element.getBoundingClientRect();
    if (right > wide + 1 || left < -1) {
      out.push(`<${element.localName} class="${element.className}"> reaches from ${Math.round(left)} to ${Math.round(right)} of ${wide}`);
    }
  }
  return out.slice(0, 10);
}

// cut lists texts that are cut off, and those that lie upon each other.
function cut() {
  const out = [];
  for (const element of document.body.querySelectorAll('.r, .badge, .l, .o, h1, h3, td, th, .path code, .tiles dd')) {
    if (!element.checkVisibility() || element.closest('.hidden')) continue;
    if (element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).display !== 'inline') {
      out.push(`"${element.textContent.slice(0, 60)}" needs ${element.scrollWidth} pixels and has ${element.clientWidth}`);
    }
  }
  for (const line of document.querySelectorAll('.f > summary, .f.short, .card .top')) {
    if (!line.checkVisibility()) continue;
    const boxes = [...line.children].filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()]);
    for (const [i, [a, x]] of boxes.entries()) {
      for (const [b, y] of boxes.slice(i + 1)) {
        if (x.left < y.right - 1 && y.left < x.right - 1 && x.top < y.bottom - 1 && y.top < x.bottom - 1) {
          out.push(`"${a.textContent.slice(0, 40)}" and "${b.textContent.slice(0, 40)}" lie upon each other`);
        }
      }
    }
  }
  return out.slice(0, 10);
}

async function accessible(page) {
  const result = await page.evaluate(async () =>
    window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  if (result.passes.length < 20) return [`only ${result.passes.length} rules had anything to look at`];
  return result.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.html.slice(0, 200)} ${n.any.map((c) => c.message).join('; ')}`).join(' | ')}`);
}

async function look(browser, task, screen, scheme) {
  const problems = [];
  const context = await browser.newContext({ ...screens[screen], colorScheme: scheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const url = pathToFileURL(task.file).href;
  page.on('request', (request) => { if (request.url() !== url) problems.push(`it loads ${request.url()}`); });
  page.on('console', (message) => problems.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`));
  await page.goto(url);
  problems.push(...await page.evaluate(overflow), ...await page.evaluate(cut));
  if (task.screenshots) {
    const shot = (name) => page.screenshot({ path: path.join(task.screenshots, `drift-${name}-${screen}-${scheme}.png`), animations: 'disabled' });
    await shot('report');
    await page.evaluate(() => { for (const d of document.querySelectorAll('details.f.open')) d.open = true; });
    const top = await page.evaluate(() => document.querySelector('#findings').getBoundingClientRect().top + scrollY);
    await page.evaluate((y) => scrollTo(0, y), top - 12);
    await shot('findings');
  }
  if (task.accessible) {
    await page.evaluate(axe);
    problems.push(...await accessible(page));
    await page.evaluate(() => { for (const d of document.querySelectorAll('details')) d.open = true; });
    problems.push(...await page.evaluate(overflow), ...await page.evaluate(cut), ...(await accessible(page)).map((p) => `all opened: ${p}`));
  }
  if (screen === 'desktop' && scheme === 'light') {
    problems.push(...(await behaves(page)));
  }
  await context.close();
  return problems.map((p) => `${task.name}, ${screen}, ${scheme}: ${p}`);
}

// behaves tries what the page can do without a script.
async function behaves(page) {
  const problems = [];
  await page.reload();
  // Lists of a fleet's findings are closed at first.
  await page.evaluate(() => { for (const d of document.querySelectorAll('.cluster > details')) d.open = true; });
  const visible = () => page.evaluate(() => [...document.querySelectorAll('.f')].filter((f) => f.checkVisibility()).length);
  const all = await visible();
  for (const filter of await page.locator('.filter input').all()) {
    const name = (await filter.getAttribute('id')).replace('show-', '');
    await filter.check();
    const want = name === 'all' ? all : await page.locator(`.f.${name}`).count();
    const got = await visible();
    if (got !== want || want === 0) problems.push(`the filter ${name} shows ${got} findings of ${want}`);
  }
  // On paper everything is there, whatever was filtered and closed.
  await page.evaluate(() => { for (const d of document.querySelectorAll('details')) d.open = false; });
  await page.emulateMedia({ media: 'print' });
  const hidden = await page.evaluate(() => [...document.querySelectorAll('.f, .f > div, .f pre, .cluster > details > div')].filter((e) => !e.checkVisibility() || e.getBoundingClientRect().height === 0).length);
  if (hidden > 0) problems.push(`${hidden} parts of findings aren't printed`);
  await page.emulateMedia({ media: 'screen' });
  // By keyboard: the first key leads past the header, and a finding opens.
  await page.reload();
  await page.evaluate(() => { for (const d of document.querySelectorAll('.cluster > details')) d.open = true; });
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  // The browser follows the link in its own time.
  await page.waitForFunction(() => location.hash === '#findings', null, { timeout: 10000 }).catch(() => {});
  if (!page.url().endsWith('#findings')) problems.push('the first link doesn’t skip to the findings');
  const closed = page.locator('details.f:not([open]) > summary').first();
  if (await closed.count()) {
    const id = await closed.evaluate((e) => e.parentElement.id);
    await closed.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction((i) => document.getElementById(i).open, id, { timeout: 10000 }).catch(() => {});
    if (!(await page.evaluate((i) => document.getElementById(i).open, id))) problems.push('a finding doesn’t open by keyboard');
  }
  return problems;
}

async function main() {
  const task = JSON.parse(fs.readFileSync(0, 'utf8'));
  const browser = await chromium.launch({ executablePath: task.chromium, args: ['--no-sandbox', '--disable-gpu'] });
  const problems = [];
  try {
    for (const page of task.pages) {
      for (const screen of page.quick ? ['desktop'] : Object.keys(screens)) {
        for (const scheme of page.quick ? ['light'] : ['light', 'dark']) {
          const wanted = { ...page, screenshots: screen === 'narrow' ? '' : page.screenshots };
          problems.push(...await look(browser, wanted, screen, scheme));
        }
      }
    }
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(problems));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
