// What every scenario needs: the real client, pointed at the sandbox, and an endpoint that checks webhooks as the client's makers say.
import assert from 'node:assert/strict';
import http from 'node:http';
import Stripe from 'stripe';

const sandbox = new URL(process.env.SANDBOX_URL);

export const stripe = new Stripe(process.env.SANDBOX_KEY, {
  apiVersion: '2026-07-29.dahlia',
  protocol: 'http',
  host: sandbox.hostname,
  port: sandbox.port,
  maxNetworkRetries: 0,
  telemetry: false,
});

/** Presses a button of a hosted page, as a browser without scripts would. */
export async function press(url, action) {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' });
  assert.equal(answer.status, 303, `${action} at ${url}: ${answer.status}`);
  return answer.headers.get('location');
}

export async function control(asked) {
  const answer = await fetch(new URL('/_control', sandbox), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(asked),
  });
  assert.equal(answer.status, 200, await answer.text());
}

/** Asks again until it is so; a deadline, and never a guess at how long something takes. */
export async function eventually(isSo, what) {
  for (const deadline = Date.now() + 20_000; ; ) {
    const answer = await isSo();
    if (answer) {
      return answer;
    }

    assert.ok(Date.now() < deadline, `Waited in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 25));
  }
}

/** A webhook endpoint of our own, made over the API; its events are verified by the real client's code before they count. */
export async function listen(types, connect = false) {
  const events = [];
  const faults = [];
  let secret;
  const server = http.createServer((request, answer) => {
    const parts = [];
    request.on('data', part => parts.push(part));
    request.on('end', () => {
      try {
        events.push(stripe.webhooks.constructEvent(Buffer.concat(parts), request.headers['stripe-signature'], secret));
        answer.writeHead(200).end();
      } catch (fault) {
        faults.push(fault);
        answer.writeHead(400).end();
      }
    });
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const endpoint = await stripe.webhookEndpoints.create({
    url: `http://127.0.0.1:${server.address().port}/hook`,
    enabled_events: types,
    api_version: '2026-07-29.dahlia',
    connect,
  });
  secret = endpoint.secret;
  return {
    received: async type => {
      const event = await eventually(() => events.find(it => it.type === type), `webhook ${type}`);
      assert.deepEqual(faults, []);
      return event;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

export async function refused(call, type, code) {
  await assert.rejects(call, fault => {
    assert.equal(fault.type, type, fault.message);
    assert.equal(fault.code, code, fault.message);
    assert.ok(fault.requestId.startsWith('req_'));
    return true;
  });
}
