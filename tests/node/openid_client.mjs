// Sign a resident in with openid-client, a certified relying party, from discovery to logout.
//
// The program runs twice, as a browser stands between: STEP=begin prints the address to visit,
// STEP=finish takes the address to which the provider sent the browser back (CALLBACK).

import { webcrypto } from 'node:crypto';
import * as client from 'openid-client';

const { STEP, ISSUER, CLIENT_ID, REDIRECT_URI, AFTER_LOGOUT, SCOPE } = process.env;

async function authentication() {
  if (process.env.PRIVATE_JWK) {
    const { alg, kid, ...jwk } = JSON.parse(process.env.PRIVATE_JWK);
    const curve = { name: 'ECDSA', namedCurve: 'P-256' };
    const key = await webcrypto.subtle.importKey('jwk', jwk, curve, false, ['sign']);
    return client.PrivateKeyJwt({ key, kid });
  }
  const { SECRET, METHOD } = process.env;
  return METHOD === 'client_secret_post'
    ? client.ClientSecretPost(SECRET)
    : client.ClientSecretBasic(SECRET);
}

async function discover() {
  const metadata = process.env.ALGORITHM
    ? { id_token_signed_response_alg: process.env.ALGORITHM }
    : {};
  const options = { execute: [client.allowInsecureRequests] };
  return client.discovery(new URL(ISSUER), CLIENT_ID, metadata, await authentication(), options);
}

async function begin(config) {
  const memory = {
    verifier: client.randomPKCECodeVerifier(),
    state: client.randomState(),
    nonce: client.randomNonce(),
  };
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state: memory.state,
    nonce: memory.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(memory.verifier),
    code_challenge_method: 'S256',
  });
  return { address: address.href, memory: JSON.stringify(memory) };
}

async function refusal(attempt) {
  try {
    await attempt();
  } catch (error) {
    return error.error ?? error.code ?? error.message;
  }
  return null;
}

async function finish(config) {
  const memory = JSON.parse(process.env.MEMORY);
  const callback = new URL(process.env.CALLBACK);
  const checks = {
    pkceCodeVerifier: memory.verifier,
    expectedState: memory.state,
    expectedNonce: memory.nonce,
    idTokenExpected: true,
    maxAge: 3600,
  };
  const first = await client.authorizationCodeGrant(config, callback, checks);
  const subject = first.claims().sub;
  const userinfo = await client.fetchUserInfo(config, first.access_token, subject);
  const second = await client.refreshTokenGrant(config, first.refresh_token);
  const again = await client.fetchUserInfo(config, second.access_token, subject);
  const machine = await client.clientCredentialsGrant(config, { scope: 'cases.read' });
  const described = await client.tokenIntrospection(config, second.access_token);
  await client.tokenRevocation(config, second.access_token);
  const revoked = await client.tokenIntrospection(config, second.access_token);
  const third = await client.refreshTokenGrant(config, second.refresh_token);
  const reused = await refusal(() => client.refreshTokenGrant(config, second.refresh_token));
  const after = await refusal(() => client.refreshTokenGrant(config, third.refresh_token));
  const logout = client.buildEndSessionUrl(config, {
    id_token_hint: third.id_token,
    post_logout_redirect_uri: AFTER_LOGOUT,
    state: memory.state,
  });
  return {
    claims: first.claims(),
    refreshed: second.claims(),
    userinfo,
    again,
    machine_scope: machine.scope,
    described,
    revoked,
    reused,
    after,
    logout: logout.href,
    state: memory.state,
  };
}

const config = await discover();
const printed = STEP === 'begin' ? await begin(config) : await finish(config);
process.stdout.write(JSON.stringify(printed));
