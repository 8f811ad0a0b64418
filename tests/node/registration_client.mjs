// Register a client with openid-client, a certified relying party, and ask a first token.

import * as client from 'openid-client';

const { ISSUER, INITIAL_TOKEN, REDIRECT_URI } = process.env;

const metadata = {
  client_name: 'Library',
  redirect_uris: [REDIRECT_URI],
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_post',
};

function register(initialAccessToken) {
  return client.dynamicClientRegistration(
    new URL(ISSUER), metadata, undefined,
    { initialAccessToken, execute: [client.allowInsecureRequests] },
  );
}

async function refusal(attempt) {
  try {
    await attempt();
  } catch (error) {
    // The challenges of RFC 6750 section 3, as the library has read them.
    return error.cause?.[0]?.parameters?.error ?? error.error ?? error.message;
  }
  return null;
}

const config = await register(INITIAL_TOKEN);
const known = config.clientMetadata();
const refused = await refusal(() => register(INITIAL_TOKEN));
const described = await client.tokenIntrospection(config, 'any');
process.stdout.write(JSON.stringify({ known, refused, described }));
