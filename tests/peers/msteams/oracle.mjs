// Microsoft's botframework-connector judges tokens that oauth2-mock-server issues. Run in the folder
// in which both are installed.
//
// Over HTTP, on a port of its own that the first line of the output names: the OpenID metadata and
// keys of the issuer, with endorsements as the real ones have, and its token endpoint. On standard
// input and output, one JSON document a line: what is to be done, and what came of it.
import { createRequire } from 'node:module';
import http from 'node:http';
import path from 'node:path';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const require = createRequire(path.join(process.cwd(), 'package.json'));
const { OAuth2Server } = await import(pathToFileURL(require.resolve('oauth2-mock-server')).href);
const framework = require('botframework-connector');
const AjvDraft4 = require('ajv-draft-04').default;
const addFormats = require('ajv-formats').default;
const APP = process.argv[2];
// The library reports refusals on standard error as well.
console.error = () => {};

async function issuer() {
    const server = new OAuth2Server(undefined, undefined, { endpoints: { token: '/:tenant/oauth2/v2.0/token' } });
    await server.issuer.keys.generate('RS256', { kid: 'connector' });
    await server.start(0, '127.0.0.1');
    server.issuer.url = `http://127.0.0.1:${server.address().port}`;
    return server;
}

const genuine = await issuer();
// Another key under the same name.
const rogue = await issuer();

// As Entra does it: the audience is the scope, and the client stands in the token.
genuine.service.on('beforeTokenSigning', (token, request) => {
    const { scope, client_id } = request?.body ?? {};
    if (scope) Object.assign(token.payload, { aud: String(scope).replace(/\/\.default$/, ''), appid: client_id });
});

const keys = async () => {
    const answer = await fetch(`${genuine.issuer.url}/jwks`);
    const set = await answer.json();
    return { keys: set.keys.map(key => ({ ...key, endorsements: ['msteams'] })) };
};

// In front of the issuer: everything else is passed on to it.
const front = http.createServer(async (request, response) => {
    const json = body => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(body));
    };
    const here = `http://127.0.0.1:${front.address().port}`;
    if (request.url === '/metadata') return json({ issuer: 'https://api.botframework.com', jwks_uri: `${here}/keys` });
    if (request.url === '/keys') return json(await keys());
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const passed = await fetch(genuine.issuer.url + request.url, {
        method: request.method,
        headers: { 'content-type': request.headers['content-type'] ?? '' },
        body: request.method === 'GET' ? undefined : Buffer.concat(chunks),
    });
    response.statusCode = passed.status;
    json(await passed.json());
});
await new Promise(listening => front.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${front.address().port}`;
framework.ChannelValidation.OpenIdMetadataEndpoint = `${url}/metadata`;

const actions = {
    // A token with exactly these claims, and the header's usual members or these.
    async mint({ claims, header, by_rogue }) {
        const transform = (usual, payload) => {
            for (const name of Object.keys(payload)) delete payload[name];
            Object.assign(payload, claims);
            Object.assign(usual, header ?? {});
        };
        const by = by_rogue ? rogue : genuine;
        return { token: await by.issuer.buildToken({ scopesOrTransform: transform }) };
    },
    async verify({ authorization, activity }) {
        const credentials = new framework.SimpleCredentialProvider(APP, 'secret');
        try {
            await framework.JwtTokenValidation.authenticateRequest(activity, authorization, credentials, undefined);
            return { accepts: true };
        } catch (refused) {
            return { accepts: false, why: String(refused.message ?? refused) };
        }
    },
    async keys() {
        return await keys();
    },
    async manifest({ manifest }) {
        const folder = path.dirname(require.resolve('@microsoft/app-manifest/package.json'));
        const version = `v${manifest.manifestVersion}`;
        const file = path.join(folder, 'build', 'json-schemas', 'teams', version, 'MicrosoftTeams.schema.json');
        const ajv = new AjvDraft4({ allErrors: true, strict: false });
        addFormats(ajv, ['uri', 'email', 'regex']);
        const validate = ajv.compile(require(file));
        const valid = validate(manifest);
        return { accepts: valid, why: JSON.stringify(validate.errors ?? []) };
    },
};

console.log(JSON.stringify({ url }));
for await (const line of readline.createInterface({ input: process.stdin })) {
    const { action, ...given } = JSON.parse(line);
    console.log(JSON.stringify(await actions[action](given)));
}
process.exit(0);
