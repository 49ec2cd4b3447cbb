// A person's browser: keeps cookies, fills in the sign-in form, presses the consent page's button, and stops where it is sent to the app.
import assert from 'node:assert/strict';

export const office = process.env.OFFICE_URL;
export const secret = process.env.CLIENT_SECRET;

const cookies = new Map();

async function visit(url, fields) {
  const answer = await fetch(url, {
    method: fields ? 'POST' : 'GET',
    body: fields && new URLSearchParams(fields),
    headers: { Accept: 'text/html', Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    redirect: 'manual',
  });
  for (const line of answer.headers.getSetCookie()) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    cookies.set(name, value);
  }

  return answer;
}

const text = html => html.replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&#x2B;', '+').replaceAll('&amp;', '&');

function hidden(page) {
  return Object.fromEntries([...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, text(value)]));
}

/** Follows the app's link until it comes back to the app. */
export async function signInAndAllow(start) {
  let url = start.href;
  for (let step = 0; step < 10; step++) {
    let answer = await visit(url);
    if (answer.status === 200) {
      const page = await answer.text();
      const form = page.includes('name="password"')
        ? ['/freelancer/login', { ...hidden(page), username: process.env.OFFICE_USER, password: process.env.OFFICE_PASSWORD }]
        : ['/oauth2/authorize', { ...hidden(page.slice(page.indexOf('<main'))), decision: 'allow' }];
      answer = await visit(office + form[0], form[1]);
    }

    assert.equal(answer.status, 303, `${url}: ${answer.status} ${await answer.text()}`);
    url = new URL(answer.headers.get('location'), office).href;
    if (!url.startsWith(office)) {
      return new URL(url);
    }
  }

  assert.fail('The browser went round in circles.');
}

/** What an access token opens. */
export async function open(path, token) {
  return (await fetch(office + path, { headers: { Authorization: `Bearer ${token}`, Accept: 'application/json' } })).status;
}

export async function run(scenarios) {
  const scenario = scenarios[process.argv[2]];
  assert.ok(scenario, `There is no scenario ${process.argv[2]}.`);
  await scenario();
}
