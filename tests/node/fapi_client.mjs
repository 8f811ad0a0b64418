// Sign a resident in as FAPI 2.0 asks, with openid-client: a signed request is pushed, the answer
// comes signed, tokens are bound to a key. STEP as in openid_client.mjs.

import { webcrypto } from 'node:crypto';
import * as client from 'openid-client';

const { STEP, ISSUER, CLIENT_ID, REDIRECT_URI, SCOPE } = process.env;
const { subtle } = webcrypto;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };

async function importKey(jwk, uses) {
  const { alg, kid, use, ...key } = jwk;
  return subtle.importKey('jwk', { ...key, key_ops: uses }, CURVE, true, uses);
}

async function discover() {
  const jwk = JSON.parse(process.env.PRIVATE_JWK);
  const key = await importKey(jwk, ['sign']);
  const config = await client.discovery(
    new URL(ISSUER),
    CLIENT_ID,
    {
      id_token_signed_response_alg: 'PS256',
      authorization_signed_response_alg: 'PS256',
      use_mtls_endpoint_aliases: false,
    },
    client.PrivateKeyJwt({ key, kid: jwk.kid }),
    { execute: [client.allowInsecureRequests] },
  );
  client.useJwtResponseMode(config);
  client.enableNonRepudiationChecks(config);
  return { config, signing: { key, kid: jwk.kid } };
}

async function exportPair(pair) {
  return {
    privateKey: await subtle.exportKey('jwk', pair.privateKey),
    publicKey: await subtle.exportKey('jwk', pair.publicKey),
  };
}

async function importPair(pair) {
  return {
    privateKey: await importKey(pair.privateKey, ['sign']),
    publicKey: await importKey(pair.publicKey, ['verify']),
  };
}

// Each endpoint may ask for a nonce first; the handle remembers the one that came.
async function withNonce(attempt) {
  try {
    return await attempt();
  } catch (error) {
    const asked = error.cause?.[0]?.parameters?.error ?? error.error;
    if (asked !== 'use_dpop_nonce') {
      throw error;
    }
    return attempt();
  }
}

async function begin({ config, signing }) {
  const pair = await client.randomDPoPKeyPair('ES256', { extractable: true });
  const DPoP = client.getDPoPHandle(config, pair);
  const memory = {
    verifier: client.randomPKCECodeVerifier(),
    state: client.randomState(),
    nonce: client.randomNonce(),
    pair: await exportPair(pair),
  };
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state: memory.state,
    nonce: memory.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(memory.verifier),
    code_challenge_method: 'S256',
  };
  const signed = await client.buildAuthorizationUrlWithJAR(config, parameters, signing);
  const address = await withNonce(() =>
    client.buildAuthorizationUrlWithPAR(config, signed.searchParams, { DPoP }),
  );
  return { address: address.href, memory: JSON.stringify(memory) };
}

async function refusal(attempt) {
  try {
    await attempt();
  } catch (error) {
    return error.error ?? error.cause?.[0]?.parameters?.error ?? error.code ?? error.message;
  }
  return null;
}

async function finish({ config }) {
  const memory = JSON.parse(process.env.MEMORY);
  const pair = await importPair(memory.pair);
  const DPoP = client.getDPoPHandle(config, pair);
  const stranger = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const callback = new URL(process.env.CALLBACK);
  const checks = {
    pkceCodeVerifier: memory.verifier,
    expectedState: memory.state,
    expectedNonce: memory.nonce,
    idTokenExpected: true,
  };
  const redeem = (handle) =>
    client.authorizationCodeGrant(config, callback, checks, undefined, { DPoP: handle });
  const stolen = await refusal(() => withNonce(() => redeem(stranger)));
  const first = await withNonce(() => redeem(DPoP));
  const subject = first.claims().sub;
  const ask = (tokens) =>
    withNonce(() => client.fetchUserInfo(config, tokens.access_token, subject, { DPoP }));
  const userinfo = await ask(first);
  const bearer = await refusal(() => client.fetchUserInfo(config, first.access_token, subject));
  const renew = () =>
    client.refreshTokenGrant(config, first.refresh_token, undefined, { DPoP });
  const second = await withNonce(renew);
  const third = await withNonce(renew);
  const again = await ask(third);
  const described = await client.tokenIntrospection(config, third.access_token);
  return {
    claims: first.claims(),
    token_type: first.token_type,
    userinfo,
    again,
    bearer,
    stolen,
    described,
    rotated: Boolean(second.refresh_token && second.refresh_token !== first.refresh_token),
    callback: [...callback.searchParams.keys()],
  };
}

const discovered = await discover();
const printed = STEP === 'begin' ? await begin(discovered) : await finish(discovered);
process.stdout.write(JSON.stringify(printed));
