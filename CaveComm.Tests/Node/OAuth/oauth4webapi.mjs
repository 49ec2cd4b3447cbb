// The client that checks most by itself, step by step.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { office, open, run, secret, signInAndAllow } from './browser.mjs';

const plain = { [oauth.allowInsecureRequests]: true };

async function discover(algorithm) {
  const issuer = new URL(office);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...plain }));
}

async function codeFlow(server, client, authentication, redirectUri) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  const start = new URL(server.authorization_endpoint);
  start.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile commissions:read offline_access',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });

  const back = await signInAndAllow(start);
  const parameters = oauth.validateAuthResponse(server, client, back, state);
  const answer = await oauth.authorizationCodeGrantRequest(server, client, authentication, parameters, redirectUri, verifier, plain);
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(server, answer, plain);
  const subject = oauth.getValidatedIdTokenClaims(tokens).sub;

  const told = await oauth.processUserInfoResponse(server, client, subject, await oauth.userInfoRequest(server, client, tokens.access_token, plain));
  assert.equal(told.preferred_username, process.env.OFFICE_USER);
  assert.equal(await open(`/freelancer/${process.env.OFFICE_USER}/inbox`, tokens.access_token), 200);
  return tokens;
}

async function refreshed(server, client, authentication, tokens) {
  const answer = await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token, plain);
  const next = await oauth.processRefreshTokenResponse(server, client, answer);
  assert.notEqual(next.refresh_token, tokens.refresh_token);
  return next;
}

async function revoked(server, client, authentication, tokens) {
  await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, authentication, tokens.refresh_token, plain));
  assert.equal(await open(`/freelancer/${process.env.OFFICE_USER}/inbox`, tokens.access_token), 401);
  await assert.rejects(() => refreshed(server, client, authentication, tokens), error => error.error === 'invalid_grant');
}

async function introspected(server, client, authentication, token) {
  return oauth.processIntrospectionResponse(server, client, await oauth.introspectionRequest(server, client, authentication, token, plain));
}

await run({
  async publicClient() {
    const server = await discover('oidc');
    const client = { client_id: 'spa' };
    const tokens = await codeFlow(server, client, oauth.None(), 'https://spa.example/callback');
    const next = await refreshed(server, client, oauth.None(), tokens);
    await revoked(server, client, oauth.None(), next);
  },

  async clientWithSecret() {
    const server = await discover('oauth2');
    const client = { client_id: 'web' };
    const authentication = oauth.ClientSecretPost(secret);
    const tokens = await codeFlow(server, client, authentication, 'https://web.example/callback');
    const next = await refreshed(server, client, authentication, tokens);
    assert.equal((await introspected(server, client, authentication, next.access_token)).active, true);
    await revoked(server, client, authentication, next);
    assert.equal((await introspected(server, client, authentication, next.access_token)).active, false);
  },

  async machine() {
    const server = await discover('oauth2');
    const client = { client_id: 'machine' };
    const authentication = oauth.ClientSecretBasic(secret);
    const answer = await oauth.clientCredentialsGrantRequest(server, client, authentication, { scope: 'audit:read' }, plain);
    const tokens = await oauth.processClientCredentialsResponse(server, client, answer);
    assert.equal(await open('/audit/events', tokens.access_token), 200);
    assert.equal((await introspected(server, client, authentication, tokens.access_token)).sub, 'machine');

    // The access token is a JWT as RFC 9068 has it.
    const request = new Request('https://audit.example/', { headers: { Authorization: `Bearer ${tokens.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(server, request, 'cavecomm', plain);
    assert.equal(claims.scope, 'audit:read');
  },
});
