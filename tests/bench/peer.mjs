// npm's oidc-provider, set up as a city would: clients, accounts and all that is issued in PostgreSQL
// (or in memory, without DATABASE_URL), passwords by Argon2id, refresh tokens rotated.
import { createServer } from 'node:http';

import { verify } from '@node-rs/argon2';
import pg from 'pg';
import Provider from 'oidc-provider';

const { ISSUER, PORT, DATABASE_URL, FACTS } = process.env;
const facts = JSON.parse(FACTS);

// -- where things are kept: one table, prepared statements, a pool of ten ------------------------
const TABLES = `
  CREATE TABLE kept (
    model text, id text, payload jsonb NOT NULL, grant_id text, user_code text, uid text,
    expires_at timestamptz, consumed_at timestamptz, PRIMARY KEY (model, id));
  CREATE INDEX ON kept (grant_id);
  CREATE INDEX ON kept (uid);
  CREATE INDEX ON kept (user_code);
  CREATE INDEX ON kept (expires_at);
  CREATE TABLE accounts (id text PRIMARY KEY, email text UNIQUE, password text, claims jsonb NOT NULL);`;
const READ = 'SELECT payload, consumed_at FROM kept WHERE model = $1 AND (expires_at IS NULL OR expires_at > now())';

const pool = DATABASE_URL && new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
const query = (name, text, values) => pool.query({ name, text, values });
const payloadOf = ({ rows: [row] }) => row && { ...row.payload, ...(row.consumed_at && { consumed: true }) };

class InPostgres {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload, expiresIn) {
    await query(
      'upsert',
      `INSERT INTO kept (model, id, payload, grant_id, user_code, uid, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
       ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id,
         user_code = excluded.user_code, uid = excluded.uid, expires_at = excluded.expires_at`,
      [this.model, id, payload, payload.grantId, payload.userCode, payload.uid, expiresIn || null],
    );
  }

  async find(id) {
    return payloadOf(await query('find', `${READ} AND id = $2`, [this.model, id]));
  }

  async findByUid(uid) {
    return payloadOf(await query('by-uid', `${READ} AND uid = $2`, [this.model, uid]));
  }

  async findByUserCode(code) {
    return payloadOf(await query('by-code', `${READ} AND user_code = $2`, [this.model, code]));
  }

  async consume(id) {
    await query('consume', 'UPDATE kept SET consumed_at = now() WHERE model = $1 AND id = $2', [this.model, id]);
  }

  async destroy(id) {
    await query('destroy', 'DELETE FROM kept WHERE model = $1 AND id = $2', [this.model, id]);
  }

  async revokeByGrantId(grantId) {
    await query('revoke', 'DELETE FROM kept WHERE model = $1 AND grant_id = $2', [this.model, grantId]);
  }
}

const memory = new Map();

class InMemory {
  constructor(model) {
    this.model = model;
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    memory.set(this.key(id), payload);
    if (payload.uid) memory.set(`uid:${payload.uid}`, payload);
  }

  async find(id) {
    return memory.get(this.key(id));
  }

  async findByUid(uid) {
    return memory.get(`uid:${uid}`);
  }

  async consume(id) {
    memory.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    memory.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const [key, payload] of memory) if (payload.grantId === grantId) memory.delete(key);
  }
}

// -- who has an account ---------------------------------------------------------------------------
const residents = new Map(facts.accounts.map((each) => [each.id, each]));

async function accountOf(id) {
  if (!pool) return residents.get(id);
  return (await query('account', 'SELECT id, claims FROM accounts WHERE id = $1', [id])).rows[0];
}

async function accountAt(email) {
  if (!pool) return facts.accounts.find((each) => each.email === email);
  return (await query('email', 'SELECT id, password FROM accounts WHERE email = $1', [email])).rows[0];
}

// -- the provider ---------------------------------------------------------------------------------
const provider = new Provider(ISSUER, {
  adapter: pool ? InPostgres : InMemory,
  jwks: { keys: facts.keys },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'cases.read'],
  claims: { openid: ['sub'], profile: ['name', 'given_name', 'family_name'], email: ['email', 'email_verified'] },
  cookies: { keys: ['an invented secret that signs cookies'] },
  ttl: { AccessToken: 600, ClientCredentials: 600, AuthorizationCode: 600, IdToken: 600, RefreshToken: 2592000,
    Session: 43200, Grant: 2592000, Interaction: 3600 },
  // What ours does for every confidential client.
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  async findAccount(ctx, id) {
    const account = await accountOf(id);
    return account && { accountId: id, claims: async () => ({ sub: id, ...account.claims }) };
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // The API's name ends with the algorithm of its tokens.
      getResourceServerInfo: (ctx, name) => ({
        scope: 'cases.read', accessTokenTTL: 600, accessTokenFormat: 'jwt',
        jwt: { sign: { alg: name.split('/').pop() } },
      }),
    },
  },
});

// -- its two pages --------------------------------------------------------------------------------
const page = (uid, step, fields) => `<!doctype html><html lang="en"><title>${step}</title>
<form method="post" action="/interaction/${uid}/${step}">${fields}</form></html>`;
const SIGN_IN = `<label>E-mail <input id="email" name="email"></label>
<label>Password <input id="password" name="password" type="password"></label><button id="sign-in">Sign in</button>`;
const CONSENT = '<p>Library asks for your name and e-mail address.</p><button id="allow">Allow</button>';

async function formOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

async function signIn(request, response) {
  const form = await formOf(request);
  const account = await accountAt(form.get('email'));
  if (!account || !(await verify(account.password, form.get('password')))) throw new Error('wrong password');
  await provider.interactionFinished(request, response, { login: { accountId: account.id, amr: ['pwd'] } });
}

async function consent(request, response) {
  const { params, session } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } },
    { mergeWithLastSubmission: true });
}

async function show(request, response) {
  const { uid, prompt } = await provider.interactionDetails(request, response);
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(prompt.name === 'login' ? page(uid, 'login', SIGN_IN) : page(uid, 'consent', CONSENT));
}

// -- what only the benchmark asks for: codes that wait to be redeemed, and how much is stored -----
async function makeCodes(count) {
  const made = [];
  const client = await provider.Client.find('library');
  for (let number = 0; number < count; number += 1) {
    const accountId = facts.accounts[number % facts.accounts.length].id;
    const scope = facts.scope;
    const grant = new provider.Grant({ accountId, clientId: 'library' });
    grant.addOIDCScope(scope);
    const code = new provider.AuthorizationCode({
      accountId, client, scope, grantId: await grant.save(), gty: 'authorization_code', redirectUri: facts.redirect_uri,
      codeChallenge: facts.challenge, codeChallengeMethod: 'S256', nonce: 'n-0S6_WzA2Mj', sessionUid: `session-${number}`,
      expiresWithSession: false, authTime: Math.floor(Date.now() / 1000), acr: '0', amr: ['pwd'],
    });
    made.push(await code.save());
  }
  return made;
}

async function countTokens() {
  const models = ['AccessToken', 'ClientCredentials', 'RefreshToken'];
  if (!pool) return [...memory.keys()].filter((key) => models.includes(key.split(':')[0])).length;
  const { rows } = await pool.query('SELECT count(*)::int AS n FROM kept WHERE model = ANY ($1)', [models]);
  return rows[0].n;
}

const answer = provider.callback();

async function route(request, response) {
  const [, area, uid, step] = request.url.split('/');
  if (area === 'bench') {
    response.end(JSON.stringify(uid === 'tokens' ? await countTokens() : await makeCodes(Number(step))));
  } else if (area !== 'interaction') await answer(request, response);
  else if (step === 'login') await signIn(request, response);
  else if (step === 'consent') await consent(request, response);
  else await show(request, response);
}

if (pool) {
  await pool.query(TABLES);
  for (const { id, email, password, claims } of facts.accounts) {
    await pool.query('INSERT INTO accounts VALUES ($1, $2, $3, $4)', [id, email, password, claims]);
  }
}
const store = pool ? new InPostgres('Client') : new InMemory('Client');
for (const client of facts.clients) await store.upsert(client.client_id, client);
createServer((request, response) => {
  route(request, response).catch((error) => {
    console.error(error);
    response.statusCode = 500;
    response.end();
  });
}).listen(Number(PORT), '127.0.0.1');
