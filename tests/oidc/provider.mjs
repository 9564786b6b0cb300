// An OpenID provider on a free port of loopback. It prints its issuer when it listens, and ends with its standard input.
// Its people and clients are what the tests are about; its pages are its own, and take any password.
//
//   node provider.mjs <redirect URI> [the one way in which clients bring their secret]

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [redirectUri, method = 'client_secret_basic'] = process.argv.slice(2);

const people = {
  ana: { email: 'ana@corp.example', email_verified: true, name: 'Ana Lima', picture: 'https://corp.example/ana.png' },
  ben: { email: 'ben@corp.example', email_verified: false, name: 'Ben' },
  cleo: {},
};

const key = (kid, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), kid, use: 'sig',
});

const client = (id, more) => ({
  client_id: id,
  client_secret: `secret of ${id}: +&%=/`,
  token_endpoint_auth_method: method,
  redirect_uris: [redirectUri],
  ...more,
});

const configuration = {
  jwks: {
    keys: [
      key('rsa', 'rsa', { modulusLength: 2048 }),
      key('ec', 'ec', { namedCurve: 'P-256' }),
      { ...key('ed', 'ed25519'), alg: 'EdDSA' },
    ],
  },
  clients: [
    client('app'),
    client('app with ES256', { id_token_signed_response_alg: 'ES256' }),
    client('app with EdDSA', { id_token_signed_response_alg: 'EdDSA' }),
    client('app with HS256', { id_token_signed_response_alg: 'HS256' }),
    client('app with signed userinfo', { userinfo_signed_response_alg: 'RS256' }),
    client('public app', { client_secret: undefined, token_endpoint_auth_method: 'none' }),
  ],
  clientAuthMethods: [method, 'none'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA', 'HS256'] },
  features: { claimsParameter: { enabled: true }, jwtUserinfo: { enabled: true } },
  pkce: { required: () => true },
  cookies: { keys: ['only for tests'] },
  findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  server.on('request', new Provider(issuer, configuration).callback());
  console.log(issuer);
});

process.stdin.on('end', () => process.exit()).resume();
