// npm's certified `oidc-provider` with one public client and one person, in memory, for the tests.
//
// The pages are our own, since those of the package fetch fonts from the network. They have the buttons that
// the tests know from the other provider. GET /log says what was asked for, in the form of that one's log.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

import { Provider } from 'oidc-provider';

const { values: options } = parseArgs({
  options: {
    client: { type: 'string' },
    'redirect-uri': { type: 'string' },
    algorithm: { type: 'string', default: 'RS256' },
    // Where the issuer is on this host: `/op` for an issuer with a path.
    path: { type: 'string', default: '' },
    // The package offers revocation to public clients, but does not say so: whoever runs it has to.
    'announce-revocation': { type: 'boolean', default: false },
    // Tokens can be bound to a key (RFC 9449), with nonces in the proofs.
    dpop: { type: 'boolean', default: false },
    'access-token-lifetime': { type: 'string', default: '3600' },
  },
});

const hour = 3600;
const person = { sub: 'olive', email: 'olive@example.com', email_verified: true, name: 'Olive Oyl' };

const key = (kind, settings) =>
  ({ ...generateKeyPairSync(kind, settings).privateKey.export({ format: 'jwk' }), use: 'sig' });
// More than a client of one algorithm can use, as real key sets are.
const keys = [
  key('rsa', { modulusLength: 2048 }),
  key('ec', { namedCurve: 'P-256' }),
  key('ec', { namedCurve: 'P-521' }),
  key('ed25519'),
];

const page = (title, body) => `<!doctype html><html lang=en><meta charset=utf-8><title>${title}</title><h1>${title}</h1>${body}</html>`;
const form = (...buttons) => `<form method=post>${buttons.join(' ')}</form>`;
const button = (name, value) => `<button name=${name} value=${value}>${value}</button>`;

const configuration = {
  clients: [{
    client_id: options.client,
    redirect_uris: [options['redirect-uri']],
    post_logout_redirect_uris: [options['redirect-uri']],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    id_token_signed_response_alg: options.algorithm,
  }],
  jwks: { keys },
  cookies: { keys: [crypto.randomUUID()] },
  discovery: options['announce-revocation'] ? { revocation_endpoint_auth_methods_supported: ['none'] } : {},
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ ...person, sub: accountId }) }),
  clientBasedCORS: (_ctx, origin, client) => client.redirectUris.some((uri) => new URL(uri).origin === origin),
  // By itself it gives one only to who asks for offline access.
  issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
  interactions: { url: (_ctx, interaction) => `${options.path}/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: options.dpop, nonceSecret: options.dpop ? randomBytes(32) : undefined, requireNonce: () => options.dpop },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page('Sign out?', `${form}<button form=op.logoutForm name=logout value=yes>yes</button>`);
      },
      postLogoutSuccessSource: (ctx) => { ctx.body = page('Signed out', ''); },
    },
  },
  renderError: (ctx, out) => {
    ctx.type = 'html';
    ctx.body = page('It did not work', `<p>${String(out.error).replace(/\W/g, ' ')}</p>`);
  },
  ttl: {
    AccessToken: Number(options['access-token-lifetime']),
    AuthorizationCode: 60,
    Grant: hour,
    IdToken: hour,
    Interaction: hour,
    RefreshToken: hour,
    Session: hour,
  },
};

const log = [];

/** Notes the request, whatever becomes of it. */
async function note(ctx, next) {
  const seen = {
    method: ctx.method,
    path: options.path + ctx.path,
    query: ctx.querystring,
    headers: ctx.headers,
    millis: Date.now(),
  };
  log.push(seen);
  try {
    await next();
  } finally {
    seen.status = ctx.status;
    seen.body = new URLSearchParams(ctx.oidc?.body ?? {}).toString();
  }
}

/** Asks who, then whether the app may. */
const interaction = (provider) => async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { uid, prompt, params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method !== 'POST') {
    ctx.body = prompt.name === 'login'
      ? page('Who are you?', form(button('person', person.sub)))
      : page('May it?', form(button('decision', 'allow'), button('decision', 'deny')));
    return undefined;
  }
  let body = '';
  for await (const chunk of ctx.req) body += chunk;
  const pressed = new URLSearchParams(body);
  let result = { login: { accountId: pressed.get('person') } };
  if (prompt.name === 'consent' && pressed.get('decision') !== 'allow') {
    result = { error: 'access_denied', error_description: 'She would rather not' };
  } else if (prompt.name === 'consent') {
    const grant = grantId
      ? await provider.Grant.find(grantId)
      : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
    grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
    result = { consent: { grantId: await grant.save() } };
  }
  ctx.status = 303;
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: true }));
  return uid;
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}${options.path}`;
  const provider = new Provider(issuer, configuration);
  provider.use(note);
  provider.use(interaction(provider));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url === '/log') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(log));
    } else if (request.url.startsWith(`${options.path}/`)) {
      // It makes its addresses out of what was cut off.
      request.originalUrl = request.url;
      request.url = request.url.slice(options.path.length);
      answer(request, response);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  console.log(`issuer ${issuer}`);
});
