// Every page at two widths: what axe says of it, and whether it fits; and signing in by the keyboard alone, with a code.
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const { OFFICE_URL: baseURL, CHROMIUM: executablePath, PLAN, SHOTS: shots } = process.env;
const plan = JSON.parse(PLAN);
const widths = [['desktop', { width: 1280, height: 900 }], ['phone', { width: 390, height: 844 }]];
const atOnce = 3;
// As its package has it, without that package's way of putting it in anew for each look.
const axe = createRequire(import.meta.resolve('@axe-core/playwright')).resolve('axe-core/axe.min.js');
const found = [];
let judged = 0;

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const keeper = await signedInByKeyboard();
  const plain = await signedIn(plan.plain);
  const nobody = await open(widths[0][1]);
  const work = [...plan.nobody.map(path => [nobody, path]), ...plan.refused.map(path => [nobody, path, true]), ...plan.plain.paths.map(path => [plain, path]), ...plan.keeper.paths.map(path => [keeper, path])];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next; (next = work.shift());) await visit(...next);
  }));
  await fill(keeper, '/account/second-factor', '/account/second-factor/recovery-codes', plan.keeper.password, 'recovery codes');
  await fill(keeper, '/account/keys', '/account/keys', 'A key', 'a new key', 'commissions:read');
  await fill(nobody, '/account/password-reset', '/account/password-reset', 'nobody-by-that-name', 'a reset was asked for');
  await fill(nobody, '/account/password-reset', '/account/password-reset', ' ', 'a fault at a field');
} finally {
  await browser.close();
}

process.stdout.write(`${JSON.stringify({ judged, found })}\n`, () => process.exit(0));

// Axe is put into each page from outside, which the pages' own policy would stop.
async function open(viewport) {
  const context = await browser.newContext({ viewport, bypassCSP: true, baseURL });
  await context.addInitScript({ path: axe });
  return context;
}

async function signedIn({ username, password }) {
  const context = await open(widths[0][1]);
  const page = await context.newPage();
  await page.goto('/freelancer/login');
  await page.fill('[name=username]', username);
  await page.fill('[name=password]', password);
  await page.press('[name=password]', 'Enter');
  await page.waitForURL(it => it.pathname !== '/freelancer/login');
  await page.close();
  return context;
}

/** No pointer, and nothing is focused but by the page itself and the Tab key. */
async function signedInByKeyboard() {
  let context;
  for (const [name, viewport] of widths) {
    context = await open(viewport);
    const page = await context.newPage();
    await page.goto('/freelancer/login?returnUrl=%2Faccount');
    await tabTo(page, 'username');
    await page.keyboard.type(plan.keeper.username);
    await tabTo(page, 'password');
    await page.keyboard.type(plan.keeper.password);
    await page.keyboard.press('Enter');
    await page.waitForSelector('[name=code]');
    await judge(page, 'the code is asked for', name);
    await tabTo(page, 'code');
    await page.keyboard.type(plan.keeper.codes.shift());
    await page.keyboard.press('Enter');
    await page.waitForURL(it => it.pathname === '/account');
    await page.close();
  }

  return context;
}

async function tabTo(page, name) {
  for (let step = 0; step < 12; step++) {
    if (await page.evaluate(() => document.activeElement?.getAttribute('name')) === name) {
      const ring = await page.evaluate(() => { const it = getComputedStyle(document.activeElement); return it.outlineStyle !== 'none' || it.boxShadow !== 'none'; });
      if (!ring) found.push({ path: page.url(), rule: `${name} does not show that it has the focus` });
      return;
    }

    await page.keyboard.press('Tab');
  }

  throw new Error(`${page.url()}: the Tab key does not lead to ${name}.`);
}

async function visit(context, path, isRefused = false) {
  const page = await context.newPage();
  const answer = await page.goto(path);
  if (answer.status() >= 400 !== isRefused || page.url().includes('/freelancer/login?returnUrl')) found.push({ path, rule: `answered ${answer.status()} at ${page.url()}` });
  for (const [name, viewport] of widths) {
    await page.setViewportSize(viewport);
    await judge(page, path, name);
  }

  await page.close();
}

/** Sends a form of the page, and judges what comes. */
async function fill(context, path, action, text, what, tick) {
  const page = await context.newPage();
  await page.goto(path);
  const form = page.locator(`form[action="${action}"]`);
  await form.locator('input[type=password], input[type=text], input:not([type])').first().fill(text);
  if (tick) await form.locator(`input[value="${tick}"]`).check();
  await Promise.all([page.waitForEvent('load'), form.locator('button').first().click()]);
  for (const [name, viewport] of widths) {
    await page.setViewportSize(viewport);
    await judge(page, what, name);
  }

  await page.close();
}

async function judge(page, path, width) {
  judged++;
  const { violations, isWide } = await page.evaluate(async () => ({
    isWide: document.documentElement.scrollWidth > window.innerWidth,
    violations: (await axe.run({ resultTypes: ['violations'], iframes: false, preload: false })).violations.map(it => ({ ...it, nodes: it.nodes.slice(0, 4).map(node => node.html.slice(0, 200)) })),
  }));
  for (const it of violations.filter(one => ['serious', 'critical'].includes(one.impact))) {
    found.push({ path, width, rule: it.id, help: it.help, at: it.nodes });
  }

  if (isWide) found.push({ path, width, rule: 'wider than the screen' });
  if (shots) await page.screenshot({ path: `${shots}/${width}-${judged}-${path.replaceAll(/[^a-zA-Z0-9]+/g, '_').slice(0, 120)}.png`, fullPage: true });
}
