// The client that apps use most.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { office, open, run, secret, signInAndAllow } from './browser.mjs';

function discover(id, authentication) {
  return client.discovery(new URL(office), id, undefined, authentication, { execute: [client.allowInsecureRequests] });
}

async function codeFlow(config, redirectUri) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  const start = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email commissions:read',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    max_age: '600',
  });
  const back = await signInAndAllow(start);
  const tokens = await client.authorizationCodeGrant(config, back, {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, maxAge: 600, idTokenExpected: true,
  });
  const told = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.ok(told.email.includes('@'));
  assert.equal(await open(`/freelancer/${process.env.OFFICE_USER}/inbox`, tokens.access_token), 200);

  // The code is worth nothing a second time, and what came of it is over.
  const again = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce }).catch(error => error);
  assert.equal(again.error, 'invalid_grant');
  assert.equal(await open(`/freelancer/${process.env.OFFICE_USER}/inbox`, tokens.access_token), 401);
}

async function life(config, redirectUri) {
  const verifier = client.randomPKCECodeVerifier();
  const start = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid commissions:read',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const first = await client.authorizationCodeGrant(config, await signInAndAllow(start), { pkceCodeVerifier: verifier });
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  assert.equal(await open(`/freelancer/${process.env.OFFICE_USER}/inbox`, second.access_token), 200);
  await client.tokenRevocation(config, second.refresh_token);
  assert.equal(await open(`/freelancer/${process.env.OFFICE_USER}/inbox`, second.access_token), 401);
  return second;
}

await run({
  async publicClient() {
    const config = await discover('spa', client.None());
    await codeFlow(config, 'https://spa.example/callback');
    await life(config, 'https://spa.example/callback');
  },

  async clientWithSecret() {
    const config = await discover('web', client.ClientSecretBasic(secret));
    await codeFlow(config, 'https://web.example/callback');
    const last = await life(config, 'https://web.example/callback');
    assert.equal((await client.tokenIntrospection(config, last.access_token)).active, false);
  },

  async machine() {
    const config = await discover('machine', client.ClientSecretPost(secret));
    const tokens = await client.clientCredentialsGrant(config, { scope: 'audit:read' });
    assert.equal(await open('/audit/events', tokens.access_token), 200);
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true);
    await client.tokenRevocation(config, tokens.access_token);
    assert.equal(await open('/audit/events', tokens.access_token), 401);
  },
});
