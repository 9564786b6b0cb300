// The official SDK for JavaScript under remote control: any number of clients, each over one transport or a choice.
//
// Standard input has a call a line: {"call": 1, "client": "a", "do": "open", …}. Standard output has a line for each
// answer, {"call": 1, "result": …} or {"call": 1, "error": …}, and for each event, {"client": "a", "event": …}.

import { Centrifuge as JsonCentrifuge } from 'centrifuge';
import { Centrifuge as ProtobufCentrifuge } from 'centrifuge/build/protobuf';
import { EventSource } from 'eventsource';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const clients = new Map();
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

// An application's data is bytes in the Protobuf form, here JSON in UTF-8.
const forms = {
  json: { Centrifuge: JsonCentrifuge, encode: (data) => data, decode: (data) => data },
  protobuf: {
    Centrifuge: ProtobufCentrifuge,
    encode: (data) => new TextEncoder().encode(JSON.stringify(data)),
    decode: (bytes) => (bytes && bytes.length ? JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) : null),
  },
};

const infoOf = (form, info) => info && { client: info.client, user: info.user, connInfo: form.decode(info.connInfo) };
const publicationOf = (form, { offset, data, info }) => ({ offset, data: form.decode(data), info: infoOf(form, info) });

class Client {
  constructor(name, { form, transports, token, fresh, emulation }) {
    this.form = forms[form];
    const tell = (event, more) => say({ client: name, event, ...more });
    this.tell = tell;
    this.centrifuge = new this.form.Centrifuge(transports, {
      token, websocket: WebSocket, eventsource: EventSource, emulationEndpoint: emulation,
      minReconnectDelay: 10, maxReconnectDelay: 200,
      getToken: async () => { tell('token'); return fresh; },
    });
    for (const event of ['connecting', 'disconnected']) {
      this.centrifuge.on(event, ({ code, reason }) => tell(event, { code, reason }));
    }
    this.centrifuge.on('connected', ({ client, transport }) => tell('connected', { id: client, transport }));
    // The server's own choice of channels: those that it told of with connect.
    this.centrifuge.on('publication', (context) => tell('own publication', publicationOf(this.form, context)));
    this.centrifuge.on('subscribed', ({ channel, wasRecovering, recovered }) =>
      tell('own subscribed', { channel, wasRecovering, recovered }));
    this.centrifuge.on('error', ({ type, error }) => tell('error', { type, error }));
  }

  connect() { this.centrifuge.connect(); return this.centrifuge.ready(20_000); }

  disconnect() { this.centrifuge.disconnect(); }

  // `fresh` is what a subscription that rests on a token gets when it asks for another one.
  subscribe({ channel, fresh, ...options }) {
    const known = this.centrifuge.getSubscription(channel);
    if (known) { known.subscribe(); return known.ready(20_000); }
    const { form, tell } = this;
    if (fresh) options.getToken = async () => { tell('channel token'); return fresh; };
    const subscription = this.centrifuge.newSubscription(channel, { minResubscribeDelay: 10, ...options });
    subscription.on('publication', (context) => tell('publication', publicationOf(form, context)));
    subscription.on('subscribed', ({ wasRecovering, recovered, streamPosition }) =>
      tell('subscribed', { wasRecovering, recovered, position: streamPosition }));
    subscription.on('unsubscribed', ({ code, reason }) => tell('unsubscribed', { code, reason }));
    for (const event of ['join', 'leave']) {
      subscription.on(event, ({ info }) => tell(event, { info: infoOf(form, info) }));
    }
    subscription.on('error', ({ type, error }) => tell('error', { type, error }));
    subscription.subscribe();
    return subscription.ready(20_000);
  }

  unsubscribe({ channel }) { this.centrifuge.getSubscription(channel).unsubscribe(); }

  async publish({ channel, data }) { await this.centrifuge.publish(channel, this.form.encode(data)); }

  async rpc({ method, data }) { return this.form.decode((await this.centrifuge.rpc(method, this.form.encode(data))).data); }

  async history({ channel, ...options }) {
    const { publications, epoch, offset } = await this.centrifuge.history(channel, options);
    return { publications: publications.map((each) => publicationOf(this.form, each)), epoch, offset };
  }

  async presence({ channel }) {
    const found = Object.entries((await this.centrifuge.presence(channel)).clients);
    return Object.fromEntries(found.map(([client, info]) => [client, infoOf(this.form, info)]));
  }

  presenceStats({ channel }) { return this.centrifuge.presenceStats(channel); }
}

async function answer({ call, client, do: what, ...options }) {
  try {
    if (what === 'open') clients.set(client, new Client(client, options));
    say({ call, result: what === 'open' ? null : (await clients.get(client)[what](options)) ?? null });
  } catch (error) {
    say({ call, error: { code: error.code ?? null, message: String(error.message ?? error) } });
  }
}

createInterface({ input: process.stdin }).on('line', (line) => answer(JSON.parse(line))).on('close', () => process.exit(0));
say({ ready: true });
